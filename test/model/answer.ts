import { decodeJwt } from 'jose';
import type { Answer } from './model.ts';

/**
 * Returns an answer in the model's terms: with the access token's claims, the ids of the authenticators, and
 * the number of backup codes shown.
 */
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
