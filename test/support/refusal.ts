import { CountersignError, type ErrorCode } from '../../core/error.ts';

/** Returns a check for assert.rejects and assert.throws that accepts only the error with this code. */
export function refusal(code: ErrorCode): (error: unknown) => boolean {
  return (error) => {
    if (error instanceof CountersignError && error.code === code) return true;
    throw error;
  };
}
