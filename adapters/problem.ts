import type { CountersignError, ErrorCode } from '../core/error.ts';

/** Every code's HTTP status and sentence; a code without both does not compile. */
export const problems: Record<ErrorCode, { status: number; title: string }> = {
  invalid_json: { status: 400, title: 'The body is not valid JSON.' },
  invalid_request: { status: 400, title: 'The request does not have the form this operation takes.' },
  body_too_large: { status: 413, title: 'The body is larger than 16 KB.' },
  unsupported_media_type: { status: 415, title: 'The body has to be application/json.' },
  invalid_credentials: { status: 401, title: 'The user name or the password is wrong.' },
  new_password_required: { status: 403, title: 'Choose a new password first.' },
  sign_in_step_unsupported: {
    status: 403,
    title: 'The user pool asks for a step of its own that this sign-in does not know.',
  },
  token_invalid: { status: 401, title: 'The access token is missing, invalid, expired or void.' },
  recent_sign_in_required: { status: 401, title: 'This needs a recent sign-in: sign in again.' },
  enrollment_required: {
    status: 403,
    title: 'A second factor is required: this session can only enroll one.',
  },
  enrollment_ticket_required: {
    status: 403,
    title: 'The second factor was reset: enrolling needs the ticket from support.',
  },
  insufficient_scope: { status: 403, title: 'The access token lacks a required scope.' },
  challenge_invalid: { status: 401, title: 'The challenge is invalid, expired or used: sign in again.' },
  refresh_token_invalid: {
    status: 401,
    title: 'The refresh token is invalid, expired or used: sign in again.',
  },
  code_rejected: { status: 401, title: 'The code was not accepted.' },
  too_many_attempts: { status: 429, title: 'Too many failed attempts: wait before the next one.' },
  factor_stopped: {
    status: 403,
    title: 'Codes are stopped after too many failures: use a backup code, or ask support.',
  },
  not_enrolled: { status: 409, title: 'There is no second factor yet.' },
  authenticator_limit: { status: 409, title: 'There are as many authenticators as are allowed.' },
  authenticator_not_found: { status: 404, title: 'There is no such authenticator.' },
  enrollment_not_found: {
    status: 404,
    title: 'There is no such enrollment waiting: it expired, or something else has ended it.',
  },
  user_not_found: { status: 404, title: 'Nothing is known of this user.' },
  conflict: { status: 409, title: 'Something else changed at the same time: try again.' },
  temporarily_unavailable: { status: 503, title: 'This cannot be done right now: try again shortly.' },
  internal_error: { status: 500, title: 'Something went wrong here.' },
};

export interface Answer {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
}

/** An error as application/problem+json (RFC 9457), with Retry-After (RFC 9110 §10.2.3) where waiting helps. */
export function problem(error: CountersignError, requestId: string): Answer {
  const { status, title } = problems[error.code];
  return {
    statusCode: status,
    headers: {
      'content-type': 'application/problem+json',
      ...(error.retryAfter !== undefined && { 'retry-after': String(error.retryAfter) }),
      ...bearerChallenge(error.code),
    },
    body: JSON.stringify({
      type: `urn:countersign:error:${error.code}`,
      title,
      status,
      code: error.code,
      detail: error.message || title,
      requestId,
    }),
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
