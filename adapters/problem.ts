import type { CountersignError, ErrorCode } from '../core/error.ts';
import { operationErrors, problemOf } from '../functions/contract/errors.ts';

export interface Answer {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
}

/** An error as application/problem+json (RFC 9457), with Retry-After (RFC 9110 §10.2.3) where waiting helps. */
export function problem(error: CountersignError, requestId: string): Answer {
  const meaning = operationErrors[error.code];
  return {
    statusCode: meaning.status,
    headers: {
      'content-type': 'application/problem+json',
      ...(error.retryAfter !== undefined && { 'retry-after': String(error.retryAfter) }),
      ...bearerChallenge(error.code),
    },
    body: JSON.stringify(problemOf(error.code, meaning, requestId, error.message)),
  };
}

/** RFC 6750 §3 and RFC 9470 §3. API Gateway hands it on as x-amzn-remapped-www-authenticate. */
function bearerChallenge(code: ErrorCode): Record<string, string> {
  if (code === 'token_invalid') return { 'www-authenticate': 'Bearer error="invalid_token"' };
  if (code === 'recent_sign_in_required') {
    return { 'www-authenticate': 'Bearer error="insufficient_user_authentication"' };
  }
  if (code === 'insufficient_scope') return { 'www-authenticate': 'Bearer error="insufficient_scope"' };
  return {};
}
