import assert from 'node:assert/strict';
import * as v from 'valibot';
import type { requests } from '../../functions/contract/requests.ts';
import type { Operation } from '../../functions/routes.ts';

import { breachOf } from '../support/contract.ts';
import type { Received } from './request.ts';

/** The answer's code, or undefined for a success. @throws AssertionError for an answer outside the contract, or a fault */
export function checkAnswer(
  operation: Operation,
  { status, headers, text }: Received,
  head: boolean,
): string | undefined {
  assert.ok(status < 500, `${status}: ${text}`);
  assert.equal(breachOf(operation, { status, headers, body: head ? undefined : text }), undefined);
  if (status < 400) return undefined;
  return head ? '' : JSON.parse(text).code;
}

/**
 * Asserts that a refusal repeats nothing that was sent. Texts under 8 characters may match by chance, so they
 * are skipped.
 */
export function checkNoEcho({ headers, text }: Received, sent: Iterable<string>): void {
  const answered = [text, ...Object.values(headers)].join('\n');
  for (const value of sent) {
    if (value.length < 8) continue;
    assert.ok(!answered.includes(value), `${JSON.stringify(value)} comes back in ${answered}`);
  }
}

export const MALFORMED = [
  'body_too_large',
  'unsupported_media_type',
  'invalid_json',
  'invalid_request',
] as const;

/**
 * Returns the code with which the service must refuse a body for its form alone, or undefined for a
 * well-formed one. API Gateway passes text on as UTF-8 and replaces invalid bytes with U+FFFD.
 */
export function formFault(
  schema: (typeof requests)[keyof typeof requests],
  contentType: string | undefined,
  body: Buffer | undefined,
): (typeof MALFORMED)[number] | undefined {
  const text = body?.toString('utf8') ?? '';
  if (Buffer.byteLength(text) > 16 * 1024) return 'body_too_large';
  if (contentType?.split(';')[0]?.trim().toLowerCase() !== 'application/json')
    return 'unsupported_media_type';
  try {
    const value: unknown = JSON.parse(text.replace(/^\ufeff/, ''));
    return !Array.isArray(value) && v.is(schema, value) ? undefined : 'invalid_request';
  } catch {
    return 'invalid_json';
  }
}

/** Returns every text in a JSON value, except the names of members. */
export function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
