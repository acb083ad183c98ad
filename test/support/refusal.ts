import { CountersignError, type ErrorCode } from '../../core/error.ts';

/** For assert.rejects and assert.throws: refused with exactly this code. */
export function refusal(code: ErrorCode): (error: unknown) => boolean {
  return (error) => {
    if (error instanceof CountersignError && error.code === code) return true;
    throw error;
  };
}
