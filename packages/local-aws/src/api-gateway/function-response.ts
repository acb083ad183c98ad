import type { Answer } from './gateway-response.ts';
import { responseHeaders } from './headers.ts';

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** The characters that HTTP/1.1 carries: visible ones, spaces and tabs, up to Latin-1. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const FIELDS = ['isBase64Encoded', 'statusCode', 'headers', 'multiValueHeaders', 'body'];

/**
 * Turns a function's result into the answer ("Output format of a Lambda function for proxy integration"); undefined if
 * it is malformed.
 */
export function functionAnswer(result: unknown): Answer | undefined {
  if (typeof result !== 'object' || result === null || Array.isArray(result)) return undefined;
  if (Object.keys(result).some((name) => !FIELDS.includes(name))) return undefined;
  const { statusCode, headers, multiValueHeaders, body } = result as Record<string, unknown>;
  const status = Number(statusCode ?? Number.NaN);
  const sent = mergeHeaders(headers, multiValueHeaders);
  if (!Number.isInteger(status) || status < 200 || status > 599 || !sent) return undefined;
  if (!sent.every(([name, value]) => HEADER_NAME.test(name) && HEADER_VALUE.test(value))) return undefined;
  if (body !== undefined && body !== null && typeof body !== 'string') return undefined;

  const answered = responseHeaders(sent);
  if (!answered.some(([name]) => name.toLowerCase() === 'content-type')) {
    answered.push(['Content-Type', 'application/json']);
  }
  // Without binary media types of the API, a body in base64 is passed on as it is.
  return { status, headers: answered, body: body ?? '' };
}

/** Merges both forms into one list. A pair that is in both is kept once. */
function mergeHeaders(single: unknown, multiple: unknown): [string, string][] | undefined {
  const merged: [string, string][] = [];
  for (const [name, values] of entriesOf(multiple)) {
    if (!Array.isArray(values)) return undefined;
    for (const value of values) merged.push([name, String(value)]);
  }
  for (const [name, value] of entriesOf(single)) {
    if (typeof value === 'object') return undefined;
    const known = merged.some(
      ([other, same]) => other.toLowerCase() === name.toLowerCase() && same === String(value),
    );
    if (!known) merged.push([name, String(value)]);
  }
  return merged;
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}
