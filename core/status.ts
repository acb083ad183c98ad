import type { Caller } from './claims.ts';
import { CountersignError } from './error.ts';
import { type Authenticator, backupCodesRemaining, type Factor, isEnabled } from './factor.ts';
import type { Records } from './ports.ts';
import { readCurrent } from './session.ts';

export interface Status {
  enabled: boolean;
  /** Times in seconds since the epoch. */
  authenticators: {
    kind: Authenticator['kind'];
    id: string;
    name: string;
    createdAt: number;
    lastUsedAt: number;
  }[];
  backupCodesRemaining: number;
}

/**
 * The caller's own second factor. An enrollment that was begun and not confirmed leaves no trace here.
 *
 * @throws CountersignError `token_invalid`, `enrollment_required`, `temporarily_unavailable`
 */
export async function status({ records }: { records: Records }, caller: Caller): Promise<Status> {
  const factor = await readCurrent({ records }, caller);
  if (caller.enrollmentRequired) throw new CountersignError('enrollment_required');
  return statusOf(factor);
}

export function statusOf(factor: Factor): Status {
  return {
    enabled: isEnabled(factor),
    authenticators: factor.authenticators.map(({ kind, id, name, createdAt, lastUsedAt }) => ({
      kind,
      id,
      name,
      createdAt,
      lastUsedAt,
    })),
    backupCodesRemaining: backupCodesRemaining(factor),
  };
}
