import { CountersignError } from './error.ts';
import type { Factor } from './factor.ts';
import type { Proof } from './proof.ts';
import { type Settings, STOP_WITHIN_30_DAYS } from './settings.ts';

/** The longest lock, in seconds, unless the first one is longer. */
const LONGEST_LOCK = 900;

/** How often somebody may fail: the settings, and what none of them says. */
export interface Limits extends Readonly<Settings['limits']> {
  /** @default LONGEST_LOCK */
  longestLock?: number;
  /** @default STOP_WITHIN_30_DAYS */
  stopWithin30Days?: number;
}

/**
 * Failures are counted in spans of six days, of which six are kept: never less than the last 30 days, at most 36, in
 * six numbers.
 */
const SPAN = 6 * 86_400;
const SPANS = 6;

const spanOf = (at: number) => Math.floor(at / SPAN);

/**
 * The budget that a failed attempt is counted against. Six digits can be guessed, so wrong codes lock and stop. A backup code or a
 * ticket has 80 random bits: a limit would only hand a lock to whoever has the password (NIST SP 800-63B-4 §3.1.2.2 asks for
 * one below 64 bits). A pending enrollment has five answers of its own, so that no lock keeps its owner from confirming it.
 */
export type Budget = 'code' | 'recovery' | 'pending';

export function budgetOf(proof: Proof): Budget {
  return 'code' in proof ? 'code' : 'recovery';
}

/** One wrong code more; from `lockAfter` on it locks, twice as long each time (RFC 4226 §7.3). */
export function countCodeFailure(factor: Factor, now: number, limits: Limits): Factor {
  const { lockSeconds, longestLock = LONGEST_LOCK } = limits;
  const failures = factor.failures + 1;
  const doublings = failures - limits.lockAfter;
  const lock = doublings < 0 ? 0 : Math.min(lockSeconds * 2 ** doublings, Math.max(lockSeconds, longestLock));
  const recent = recentSpans(factor, now);
  const current = recent.find(({ span }) => span === spanOf(now));
  const failed: Factor = {
    ...factor,
    failures,
    lockedUntil: lock > 0 ? now + lock : factor.lockedUntil,
    recentFailures: current
      ? recent.map((entry) => (entry === current ? { ...entry, count: entry.count + 1 } : entry))
      : [...recent, { span: spanOf(now), count: 1 }],
  };
  return isStopped(failed, now, limits) ? { ...failed, stoppedAt: now } : failed;
}

/** Wrong backup codes in a row that are counted. Further ones write nothing, so a flood of them delays no other write. */
const MOST_BACKUP_FAILURES = 100;

/** One wrong backup code or ticket more; undefined if there is nothing left to count. */
function countRecoveryFailure(factor: Factor): Factor | undefined {
  if (factor.backupFailures >= MOST_BACKUP_FAILURES) return undefined;
  return { ...factor, backupFailures: factor.backupFailures + 1 };
}

/** Wrong codes that end a pending enrollment. */
const PENDING_FAILURES = 5;

/** One wrong code more at the confirmation; the fifth ends the enrollment. */
function countPendingFailure(factor: Factor): Factor {
  const { pending } = factor;
  const failures = (pending?.failures ?? 0) + 1;
  return {
    ...factor,
    pending: pending && failures < PENDING_FAILURES ? { ...pending, failures } : undefined,
  };
}

/** Counts an attempt that failed. Undefined if there is nothing left to count. */
export function countFailure(
  factor: Factor,
  budget: Budget,
  now: number,
  limits: Limits,
): Factor | undefined {
  switch (budget) {
    case 'code':
      return countCodeFailure(factor, now, limits);
    case 'recovery':
      return countRecoveryFailure(factor);
    case 'pending':
      return countPendingFailure(factor);
  }
}

/** Forgives the wrong codes in a row; those of the last 30 days stay counted. */
export function forgiveFailures(factor: Factor): Factor {
  return { ...factor, failures: 0, lockedUntil: 0, stoppedAt: undefined };
}

/** Forgives every failure, a lock and a stop: for a factor of which nothing is left to guess, or by support. */
export function forgiveAllFailures(factor: Factor): Factor {
  return {
    ...factor,
    failures: 0,
    backupFailures: 0,
    lockedUntil: 0,
    recentFailures: [],
    stoppedAt: undefined,
  };
}

/** Seconds until the lock ends; 0 where there is none. */
export function lockedFor(factor: Factor, now: number): number {
  return Math.max(0, factor.lockedUntil - now);
}

/** Too many failures for waiting to help: support unlocks or resets the factor (NIST SP 800-63B-4 §3.2.2). */
export function isStopped(factor: Factor, now: number, limits: Limits): boolean {
  if (factor.stoppedAt !== undefined) return true;
  const { stopAfter, stopWithin30Days = STOP_WITHIN_30_DAYS } = limits;
  const recent = recentSpans(factor, now).reduce((sum, { count }) => sum + count, 0);
  return factor.failures >= stopAfter || recent >= stopWithin30Days;
}

/**
 * Refuses every code while the factor is locked or stopped, whatever the code is. Backup codes, tickets and the code that
 * confirms an enrollment pass.
 *
 * @throws CountersignError `factor_stopped`, or `too_many_attempts` with the seconds left.
 */
export function refuseUnlessOpen(factor: Factor, budget: Budget, now: number, limits: Limits): void {
  if (budget !== 'code') return;
  if (isStopped(factor, now, limits)) throw new CountersignError('factor_stopped');
  const seconds = lockedFor(factor, now);
  if (seconds > 0) throw new CountersignError('too_many_attempts', '', { retryAfter: seconds });
}

function recentSpans(factor: Factor, now: number) {
  return factor.recentFailures.filter(({ span }) => span > spanOf(now) - SPANS);
}
