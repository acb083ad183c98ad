import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import type { Operation } from '../../functions/routes.ts';
import type { bodies } from './bodies.ts';
import type { Received } from './request.ts';

/** `status code` of every documented error. */
const documented = new Set(
  [
    ...readFileSync(join(import.meta.dirname, '../../docs/errors.md'), 'utf8').matchAll(
      /^\| `(\w+)` \| (\d+) \|/gm,
    ),
  ].map(([, code, status]) => `${status} ${code}`),
);

const MEMBERS = ['code', 'detail', 'requestId', 'status', 'title', 'type'];
const SUCCESS: Partial<Record<Operation, number>> = {
  enroll: 201,
  logout: 204,
  'admin-revoke-sessions': 204,
};

/**
 * Returns the answer's error code, or undefined for a success.
 *
 * @throws AssertionError if the answer breaks the contract
 */
export function checkAnswer(
  operation: Operation,
  { status, headers, text }: Received,
  head: boolean,
): string | undefined {
  assert.ok(status < 500, `${status}: ${text}`);
  const type = headers['content-type'];
  if (status < 400) {
    assert.equal(status, SUCCESS[operation] ?? 200);
    if (status === 204) assert.equal(text, '');
    else {
      assert.equal(type, 'application/json');
      if (!head) assert.equal(typeof JSON.parse(text), 'object');
    }
    return undefined;
  }
  assert.equal(type, 'application/problem+json');
  assert.equal(headers['cache-control'], 'no-store');
  if (head) return '';
  const problem = JSON.parse(text);
  assert.deepEqual(Object.keys(problem).sort(), MEMBERS);
  assert.equal(problem.status, status);
  assert.equal(problem.type, `urn:countersign:error:${problem.code}`);
  for (const member of ['title', 'detail', 'requestId']) assert.match(problem[member], /./);
  assert.ok(documented.has(`${status} ${problem.code}`), `${status} ${problem.code} is not documented`);
  return problem.code;
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
  schema: (typeof bodies)[keyof typeof bodies],
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
