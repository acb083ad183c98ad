import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as v from 'valibot';
import {
  activeAtOnce,
  activeFromOfNewKey,
  activeKey,
  isDue,
  KEY_SET_MAX_AGE,
  KEYRING_TTL,
  type RotatingKey,
  signingKeysNeeded,
  unusedKeys,
} from '../../core/key-rotation.ts';
import { Settings } from '../../core/settings.ts';

const DAY = 86_400;
const NOW = 1_800_000_000;
const settings = v.parse(Settings, { keyRotationDays: 90 });
const { refreshToken } = settings.lifetimes;
/** What API Gateway holds a key set for, in seconds. */
const TWO_HOURS = 7200;
const keys = (...times: number[]): RotatingKey[] =>
  times.map((activeFrom) => ({ id: `key-${activeFrom - NOW}`, activeFrom }));
const ids = (kept: RotatingKey[]) => kept.map(({ activeFrom }) => activeFrom - NOW);

test('the newest key whose time has come is in use, whatever order they are kept in', () => {
  const ring = keys(NOW - 10, NOW - 20, NOW + 1, NOW);
  assert.equal(activeKey(ring, NOW)?.activeFrom, NOW);
  assert.equal(activeKey(ring, NOW - 1)?.activeFrom, NOW - 10);
  assert.equal(activeKey(ring, NOW + 1)?.activeFrom, NOW + 1);
  assert.equal(activeKey(ring, NOW - 21), undefined);
});

test('a key is due when the newest has been in use for so many days, to the second', () => {
  assert.equal(isDue(keys(NOW - 90 * DAY + 1), NOW, settings), false);
  assert.equal(isDue(keys(NOW - 90 * DAY), NOW, settings), true);
  assert.equal(isDue(keys(NOW - 500 * DAY, NOW - DAY), NOW, settings), false);
});

test('while a key waits for its time, no other is due', () => {
  assert.equal(isDue(keys(NOW - 90 * DAY, NOW + 1), NOW, settings), false);
});

test('a new key waits until no container holds a keyring without it', () => {
  const activeFrom = activeFromOfNewKey(keys(NOW - DAY), false, NOW);
  assert.ok(activeFrom > NOW + KEYRING_TTL);
});

test('a new signing key waits until no verifier holds a key set without it, proxies and slow clocks included', () => {
  // The container that answers has just read the ring; a cache on the way has its answer to the end; then a verifier asks.
  const lastWithoutIt = NOW + KEYRING_TTL + KEY_SET_MAX_AGE + TWO_HOURS;
  assert.ok(activeFromOfNewKey(keys(NOW - DAY), true, NOW) > lastWithoutIt);
});

test('where there is no key to go on with, the new one is in use at once, by slow clocks too', () => {
  for (const ring of [[], keys(NOW + 100)]) {
    assert.equal(activeFromOfNewKey(ring, true, NOW), activeAtOnce(NOW));
  }
  assert.ok(activeAtOnce(NOW) < NOW);
});

test('a signing key is needed until the last token that it may have signed has ended', () => {
  const ring = (successor: number) => keys(NOW - 90 * DAY, successor);
  assert.deepEqual(ids(signingKeysNeeded(ring(NOW - refreshToken), NOW, settings)).length, 2);
  const over = NOW - refreshToken - KEYRING_TTL - 60;
  assert.deepEqual(ids(signingKeysNeeded(ring(over), NOW, settings)), [over - NOW]);
  assert.deepEqual(ids(signingKeysNeeded(ring(over + 1), NOW, settings)).length, 2);
});

test('the key in use and every key to come are needed, however old they are', () => {
  const ring = keys(NOW - 1000 * DAY, NOW + 5, NOW + 10);
  assert.deepEqual(signingKeysNeeded(ring, NOW, settings), ring);
});

test('over any history, every key that signed a token that still lives is published', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: -200 * DAY, max: 0 }), { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 0, max: refreshToken }),
      (times, age) => {
        const ring = keys(...times.map((time) => NOW + time));
        const signed = activeKey(ring, NOW - age);
        const needed = signingKeysNeeded(ring, NOW, settings);
        assert.ok(!signed || needed.includes(signed));
      },
    ),
  );
});

test('a key that seals is unused only if it was superseded well before the sweep, and met nowhere', () => {
  const ring = keys(NOW - 100 * DAY, NOW - 50 * DAY, NOW - KEYRING_TTL - 60, NOW + 10);
  const unused = (met: string[], began: number) =>
    ids(unusedKeys(ring, new Set(met), began)).map((time) => Math.round(time / DAY));
  assert.deepEqual(unused([], NOW), [-100, -50]);
  assert.deepEqual(unused([ring[0]?.id ?? ''], NOW), [-50]);
  // A second earlier, some container might still have held the second one as the one in use.
  assert.deepEqual(unused([], NOW - 1), [-100]);
  assert.deepEqual(unused([], NOW - 200 * DAY), []);
});

test('the key in use and a key to come are never unused', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: -10_000, max: 10_000 }), { maxLength: 6 }), (times) => {
      const ring = keys(...times.map((time) => NOW + time));
      const unused = unusedKeys(ring, new Set(), NOW);
      const active = activeKey(ring, NOW);
      for (const key of unused) assert.ok(active && key.activeFrom < active.activeFrom);
    }),
  );
});
