import type { ErrorCode } from '../../core/error.ts';

/** The status and title of a code. They are the same whoever answers with it. */
export interface ErrorMeaning {
  status: number;
  /** One sentence. It holds nothing of the request. */
  title: string;
  /** The seconds that Retry-After gives, if they are always the same. */
  retryAfter?: number;
}

/** The refusals and faults of the operations. A code without a status and a title does not compile. */
export const operationErrors: Record<ErrorCode, ErrorMeaning> = {
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

/** API Gateway's own, before or instead of an operation. It answers with some of the operations' codes too. */
export const gatewayErrors = {
  access_denied: { status: 403, title: 'The caller may not do this.' },
  operation_failed: {
    status: 502,
    title: 'The operation ended without an answer. It may have been carried out.',
    retryAfter: 1,
  },
  signature_expired: { status: 403, title: 'The credentials that signed the request have expired.' },
  operation_timed_out: {
    status: 504,
    title: 'The operation gave no answer. It may have been carried out.',
    retryAfter: 1,
  },
  api_key_invalid: { status: 403, title: 'The header x-api-key must carry a key of this API.' },
  signature_invalid: { status: 403, title: 'The SigV4 signature of the request does not match.' },
  // API Gateway does not say which of the two.
  unknown_operation: {
    status: 403,
    title: 'There is no such method and path, or it wants a SigV4 signature and the request has none.',
  },
  quota_exceeded: {
    status: 429,
    title: 'The API key has used up its quota for today.',
    retryAfter: 3600,
  },
  not_found: { status: 404, title: 'There is no such resource.' },
  throttled: {
    status: 429,
    title: 'The API key, or the service as a whole, has too many requests at once.',
    retryAfter: 1,
  },
  unauthorized: { status: 401, title: 'The request carries no acceptable credentials.' },
  request_filtered: { status: 403, title: 'A firewall rule refused the request.' },
} as const satisfies Record<string, ErrorMeaning>;

export type AnyErrorCode = ErrorCode | keyof typeof gatewayErrors;

/** A problem document (RFC 9457 §3): the body of every error. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: AnyErrorCode;
  /** For people. It says where a request is malformed, and never repeats what was sent. */
  detail: string;
  requestId: string;
}

/** Returns the body of an error. Without a detail of its own, the title is the detail. */
export function problemOf(
  code: AnyErrorCode,
  { status, title }: ErrorMeaning,
  requestId: string,
  detail = '',
): Problem {
  return { type: `urn:countersign:error:${code}`, title, status, code, detail: detail || title, requestId };
}
