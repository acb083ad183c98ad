import { decodeJwt } from 'jose';
import type { Answer } from './model.ts';

/** An answer in the model's words: with what the access token says, ids of authenticators, and how many codes were shown. */
export function answerOf(outcome: string, given: object): Answer {
  const body: Record<string, unknown> = { shown: 0, ...given };
  if (typeof body['accessToken'] === 'string') {
    const { amr, acr, auth_time } = decodeJwt(body['accessToken']);
    Object.assign(body, { amr, acr, auth_time });
  }
  if (Array.isArray(body['backupCodes'])) body['shown'] = body['backupCodes'].length;
  if (Array.isArray(body['authenticators']))
    body['authenticators'] = body['authenticators'].map((authenticator: { id: string }) => authenticator.id);
  return { outcome, body };
}
