import { CountersignError } from './error.ts';
import type { Factor, FactorEvent } from './factor.ts';
import { afterFailure, type Budget, refuseUnlessOpen } from './limits.ts';
import type { Records } from './ports.ts';
import { randomId } from './random.ts';
import type { Settings } from './settings.ts';
import type { User } from './user.ts';

/**
 * One attempt at the second factor: decide on the state that was read, then one conditional write, accepting or
 * refusing. **The answer follows the write, never the comparison**: a right code whose write is refused learns nothing,
 * and of any number of attempts at once, at most one is heard.
 *
 * @param budget what a failure is counted against; only `code` locks and stops
 * @param judge the next state where the code is right and unused, undefined where not
 * @returns the state as written
 * @throws CountersignError `code_rejected`, `too_many_attempts`, `factor_stopped`, `temporarily_unavailable`
 */
export async function attempt(
  { records, settings }: { records: Records; settings: Settings },
  user: User,
  read: Factor,
  budget: Budget,
  judge: () => Promise<Factor | undefined>,
  event: FactorEvent['type'],
  now: number,
): Promise<Factor> {
  refuseUnlessOpen(read, budget, now, settings.limits);
  const accepted = await judge();
  const next = accepted ?? afterFailure(read, budget, now, settings.limits);
  if (!next) throw new CountersignError('code_rejected');
  const outcome = await records.replace(
    user,
    read,
    noted({ ...next, answered: unexpired(next.answered, now) }, accepted ? event : 'refused', now),
  );
  if (!outcome.written) {
    // Somebody else was heard first. Nothing is compared again: what is stored now is the answer.
    refuseUnlessOpen(outcome.stored, budget, now, settings.limits);
    throw new CountersignError('code_rejected');
  }
  if (!accepted) throw new CountersignError('code_rejected');
  return accepted;
}

/**
 * A change of the second factor: a new generation, so that every session from before it is void. What such a session had
 * begun ends with it: a pending secret would be confirmed by whoever knows it, with any later session.
 */
export function changed(factor: Factor, now: number, provenBy?: string): Factor {
  return { ...factor, pending: undefined, generation: randomId(), changedAt: now, provenBy };
}

/** A right code ends the wrong ones in a row; those of the last 30 days stay counted. */
export function withoutFailures(factor: Factor): Factor {
  return { ...factor, failures: 0, lockedUntil: 0, stoppedAt: undefined };
}

export function noted(factor: Factor, type: FactorEvent['type'], at: number): Factor {
  return { ...factor, event: { type, at } };
}

/** A write that proves no code: refused, and to be tried again, where something else was written meanwhile. */
export async function replaceOrConflict(
  records: Records,
  user: User,
  read: Factor,
  next: Factor,
): Promise<Factor> {
  const outcome = await records.replace(user, read, next);
  if (!outcome.written) throw new CountersignError('conflict');
  return next;
}

function unexpired(answered: Record<string, number>, now: number): Record<string, number> {
  return Object.fromEntries(Object.entries(answered).filter(([, expiresAt]) => expiresAt > now));
}
