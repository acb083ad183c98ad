import { CountersignError } from './error.ts';
import type { Factor } from './factor.ts';
import type { Settings } from './settings.ts';

type Limits = Settings['limits'];

/**
 * Failures are counted in spans of six days, of which six are kept: never less than the last 30 days, at most 36, in
 * six numbers.
 */
const SPAN = 6 * 86_400;
const SPANS = 6;

const spanOf = (at: number) => Math.floor(at / SPAN);

/** One failure more; from `lockAfter` on it locks, twice as long each time (RFC 4226 §7.3). */
export function withFailure(factor: Factor, now: number, limits: Limits): Factor {
  const failures = factor.failures + 1;
  const doublings = failures - limits.lockAfter;
  const lock = doublings < 0 ? 0 : Math.min(limits.lockSeconds * 2 ** doublings, limits.lockSecondsMost);
  const recent = recentSpans(factor, now);
  const current = recent.find(({ span }) => span === spanOf(now));
  return {
    ...factor,
    failures,
    lockedUntil: lock > 0 ? now + lock : factor.lockedUntil,
    recentFailures: current
      ? recent.map((entry) => (entry === current ? { ...entry, count: entry.count + 1 } : entry))
      : [...recent, { span: spanOf(now), count: 1 }],
  };
}

/** Seconds until the lock ends; 0 where there is none. */
export function lockedFor(factor: Factor, now: number): number {
  return Math.max(0, factor.lockedUntil - now);
}

/** Too many failures for waiting to help: only a reset does (NIST SP 800-63B-4 §3.2.2). */
export function isStopped(factor: Factor, now: number, limits: Limits): boolean {
  const recent = recentSpans(factor, now).reduce((sum, { count }) => sum + count, 0);
  return factor.failures >= limits.stopAfter || recent >= limits.stopWithin30Days;
}

/**
 * Whatever the code would be: nobody is heard while the factor is locked or stopped.
 *
 * @throws CountersignError `factor_stopped`, or `too_many_attempts` with the seconds left.
 */
export function refuseUnlessOpen(factor: Factor, now: number, limits: Limits): void {
  if (isStopped(factor, now, limits)) throw new CountersignError('factor_stopped');
  const seconds = lockedFor(factor, now);
  if (seconds > 0) throw new CountersignError('too_many_attempts', '', { retryAfter: seconds });
}

function recentSpans(factor: Factor, now: number) {
  return factor.recentFailures.filter(({ span }) => span > spanOf(now) - SPANS);
}
