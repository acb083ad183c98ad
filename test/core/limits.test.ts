import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as v from 'valibot';
import { type Factor, noFactor } from '../../core/factor.ts';
import {
  countCodeFailure,
  forgiveAllFailures,
  isStopped,
  type Limits,
  lockedFor,
  refuseUnlessOpen,
} from '../../core/limits.ts';
import { Settings } from '../../core/settings.ts';
import { refusal } from '../support/refusal.ts';

const { limits } = v.parse(Settings, {});
const NOW = 1_800_000_000;
const DAY = 86_400;

/** Each failure as soon as the lock before it has ended. */
function afterFailures(
  count: number,
  given: Limits = limits,
): { factor: Factor; now: number; locks: number[] } {
  let factor = noFactor;
  let now = NOW;
  const locks: number[] = [];
  for (let failure = 1; failure <= count; failure++) {
    factor = countCodeFailure(factor, now, given);
    locks.push(lockedFor(factor, now));
    now += lockedFor(factor, now);
  }
  return { factor, now, locks };
}

test('the fifth failure locks for 30 s, each further one twice as long, never over 15 minutes', () => {
  assert.deepEqual(afterFailures(13).locks, [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900, 900]);
});

test('the 99th failure still only locks, the 100th stops', () => {
  const { factor, now, locks } = afterFailures(99);
  assert.equal(locks.at(-1), 900);
  assert.equal(isStopped(factor, now, limits), false);
  assert.equal(isStopped(countCodeFailure(factor, now, limits), now, limits), true);
});

test('a stop does not end with time', () => {
  const { factor, now } = afterFailures(100);
  assert.equal(isStopped(factor, now + 3650 * DAY, limits), true);
  assert.throws(() => refuseUnlessOpen(factor, 'code', now + 3650 * DAY, limits), refusal('factor_stopped'));
});

test('a lock is in force to its last second, says how long, and is over then', () => {
  const { factor, now } = afterFailures(5);
  const began = now - 30;
  for (const [at, left] of [
    [began, 30],
    [began + 29, 1],
  ] as const) {
    assert.throws(() => refuseUnlessOpen(factor, 'code', at, limits), {
      code: 'too_many_attempts',
      retryAfter: left,
    });
  }
  refuseUnlessOpen(factor, 'code', began + 30, limits);
});

test('the series follows the configuration', () => {
  const given = { ...limits, lockAfter: 2, lockSeconds: 7, longestLock: 20, stopAfter: 6 };
  const { factor, now, locks } = afterFailures(6, given);
  assert.deepEqual(locks, [0, 7, 14, 20, 20, 20]);
  assert.equal(isStopped(factor, now, given), true);
});

test('a first lock that is longer than 15 minutes stays as long', () => {
  assert.deepEqual(afterFailures(7, { ...limits, lockSeconds: 1800 }).locks.slice(4), [1800, 1800, 1800]);
});

test('300 failures within 30 days stop, whatever the successes between', () => {
  let factor = noFactor;
  for (let failure = 0; failure < 300; failure++) {
    assert.equal(isStopped(factor, NOW + failure * 8600, limits), false, `${failure} failures`);
    factor = { ...countCodeFailure(factor, NOW + failure * 8600, limits), failures: 0, lockedUntil: 0 };
  }
  assert.equal(isStopped(factor, NOW + 299 * 8600, limits), true);
  assert.equal(isStopped(factor, NOW + 3650 * DAY, limits), true, 'until it is lifted');
});

test('failures are never undercounted over any 30 days, never counted after 36, and kept in six numbers', () => {
  const tight = { ...limits, stopAfter: 100, stopWithin30Days: 5 };
  const gaps = fc.array(fc.oneof(fc.nat(20 * DAY), fc.nat(600), fc.constantFrom(6 * DAY, 30 * DAY, 0)), {
    minLength: 1,
    maxLength: 25,
  });
  fc.assert(
    fc.property(fc.nat(40 * DAY), gaps, fc.nat(40 * DAY), (start, waits, wait) => {
      let factor = noFactor;
      let now = NOW + start;
      const times: number[] = [];
      for (const gap of waits) {
        now += gap;
        // As if each stop had been lifted.
        factor = { ...countCodeFailure(factor, now, tight), failures: 0, stoppedAt: undefined };
        times.push(now);
        assert.ok(factor.recentFailures.length <= 6);
      }
      now += wait;
      const within = (days: number) => times.filter((time) => time > now - days * DAY).length;
      if (within(30) >= 5) assert.equal(isStopped(factor, now, tight), true);
      if (within(36) < 5) assert.equal(isStopped(factor, now, tight), false);
    }),
    { numRuns: 500 },
  );
});

test('a reset forgives failures of either kind, the lock and the stop', () => {
  const { factor } = afterFailures(100);
  const forgiven = forgiveAllFailures({ ...factor, backupFailures: 7 });
  assert.deepEqual(forgiven, { ...noFactor, stoppedAt: undefined });
});
