import { changed, noted, replaceOrConflict, withoutFailures } from './attempt.ts';
import { without } from './disable.ts';
import { CountersignError } from './error.ts';
import type { Factor, FactorEvent } from './factor.ts';
import { isStopped, lockedFor } from './limits.ts';
import type { PoolSessions, Records } from './ports.ts';
import type { Settings } from './settings.ts';
import { type Status, statusOf } from './status.ts';
import type { User } from './user.ts';

interface Administration {
  records: Records;
  settings: Settings;
  /** Absent where Cognito's sessions are left alone. */
  poolSessions?: PoolSessions | undefined;
}

export interface AdminStatus extends Status {
  /** Failures in a row. */
  failures: number;
  /** Seconds since the epoch; null where there is no lock. */
  lockedUntil: number | null;
  /** Stopped until a reset. */
  stopped: boolean;
  lastEvent: FactorEvent | null;
}

/**
 * What support sees of a user's second factor.
 *
 * @throws CountersignError `user_not_found` where nothing is stored, `temporarily_unavailable`
 */
export async function adminStatus(
  { records, settings }: Administration,
  user: User,
  now: number,
): Promise<AdminStatus> {
  return adminStatusOf(known(await records.read(user)), settings, now);
}

/**
 * Lifts a lock and forgives the failures in a row. A stopped factor is not unlocked: it is reset.
 *
 * @throws CountersignError `user_not_found`, `factor_stopped`, `conflict`, `temporarily_unavailable`
 */
export async function adminUnlock(
  { records, settings }: Administration,
  user: User,
  now: number,
): Promise<AdminStatus> {
  const factor = known(await records.read(user));
  if (isStopped(factor, now, settings.limits)) throw new CountersignError('factor_stopped');
  const unlocked = noted(withoutFailures(factor), 'unlocked', now);
  return adminStatusOf(await replaceOrConflict(records, user, factor, unlocked), settings, now);
}

/**
 * Removes the whole second factor, its failures and a stop included; every session ends. The user enrols anew.
 *
 * @throws CountersignError `user_not_found`, `conflict`, `temporarily_unavailable`
 */
export async function adminReset(
  { records, settings, poolSessions }: Administration,
  user: User,
  now: number,
): Promise<AdminStatus> {
  const reset = await insist(records, user, (factor) => removed(known(factor), now));
  await poolSessions?.end(user);
  return adminStatusOf(reset, settings, now);
}

/**
 * The same for somebody who is no user any more and may never have had a second factor: no secret of theirs stays.
 *
 * @throws CountersignError `conflict`, `temporarily_unavailable`
 */
export async function forgetFactor(records: Records, user: User, now: number): Promise<void> {
  await insist(records, user, (factor) => removed(factor, now));
}

function removed(factor: Factor, now: number): Factor {
  const rest = { ...withoutFailures(without(factor, undefined)), recentFailures: [] };
  return noted(changed(rest, now), 'reset', now);
}

/**
 * Ends every session of a user, who may have no second factor. Own tokens die at once here; what other resource servers
 * accept lives until its `exp`.
 *
 * @throws CountersignError `conflict`, `temporarily_unavailable`
 */
export async function adminRevokeSessions(
  { records, poolSessions }: Omit<Administration, 'settings'>,
  user: User,
  now: number,
): Promise<void> {
  await revokeSessions(records, user, now);
  await poolSessions?.end(user);
}

/**
 * The same where Cognito has ended its own sessions already.
 *
 * @throws CountersignError `conflict`, `temporarily_unavailable`
 */
export async function revokeSessions(records: Records, user: User, now: number): Promise<void> {
  await insist(records, user, (factor) => noted(changed(factor, now), 'sessions_revoked', now));
}

/** Writes at once that get in between, one after the other, before it is given up. */
const MOST_IN_BETWEEN = 20;

/**
 * A write that holds whatever else has been written of the user meanwhile. Who is to lose their session could otherwise keep
 * it by writing without end. (Where besides its answer is lost, that is a fault: doing all of it again is right then.)
 */
async function insist(records: Records, user: User, next: (stored: Factor) => Factor): Promise<Factor> {
  let stored = await records.read(user);
  for (let tries = 0; tries <= MOST_IN_BETWEEN; tries++) {
    const wanted = next(stored);
    const outcome = await records.replace(user, stored, wanted);
    if (outcome.written) return wanted;
    stored = outcome.stored;
  }
  throw new CountersignError('conflict');
}

function known(factor: Factor): Factor {
  if (factor.writtenBy === undefined) throw new CountersignError('user_not_found');
  return factor;
}

function adminStatusOf(factor: Factor, settings: Settings, now: number): AdminStatus {
  return {
    ...statusOf(factor),
    failures: factor.failures,
    lockedUntil: lockedFor(factor, now) > 0 ? factor.lockedUntil : null,
    stopped: isStopped(factor, now, settings.limits),
    lastEvent: factor.event ?? null,
  };
}
