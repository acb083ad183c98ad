/** Every refusal and fault this service can answer with. Stable: clients switch on it. */
export type ErrorCode =
  | 'invalid_json'
  | 'invalid_request'
  | 'body_too_large'
  | 'unsupported_media_type'
  | 'invalid_credentials'
  | 'new_password_required'
  | 'sign_in_step_unsupported'
  | 'token_invalid'
  | 'recent_sign_in_required'
  | 'enrollment_required'
  | 'enrollment_ticket_required'
  | 'insufficient_scope'
  | 'challenge_invalid'
  | 'refresh_token_invalid'
  | 'code_rejected'
  | 'too_many_attempts'
  | 'factor_stopped'
  | 'not_enrolled'
  | 'authenticator_limit'
  | 'authenticator_not_found'
  | 'enrollment_not_found'
  | 'user_not_found'
  | 'conflict'
  | 'temporarily_unavailable'
  | 'internal_error';

/**
 * The one error of this service. Its text is for people and holds nothing of what they sent; `cause`, where there is
 * one, is for the operator, and its text is never logged.
 */
export class CountersignError extends Error {
  readonly code: ErrorCode;
  /** Seconds until the same call may succeed. */
  readonly retryAfter: number | undefined;

  constructor(
    code: ErrorCode,
    detail = '',
    { retryAfter, cause }: { retryAfter?: number; cause?: unknown } = {},
  ) {
    super(detail, { cause });
    this.name = 'CountersignError';
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/** A dependency failed or did not answer: refuse, and say in how many seconds to come back. */
export function unavailable(cause?: unknown, retryAfter = 1): CountersignError {
  return new CountersignError(
    'temporarily_unavailable',
    'This cannot be done right now: try again shortly.',
    {
      retryAfter,
      cause,
    },
  );
}
