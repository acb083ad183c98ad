import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { afterPassword, mustEnroll, mustEnrollAtSignIn } from '../../core/enrollment-policy.ts';
import { noFactor } from '../../core/factor.ts';
import { Settings } from '../../core/settings.ts';
import { createMemoryRecords } from '../support/memory-records.ts';

const NOW = 1_800_000_000;
const DAY = 86_400;
const user = { realm: 'users', sub: 'alice' };
const within = (requiredAfterDays: number) => v.parse(Settings, { enrollment: { requiredAfterDays } });

test('from the first second of the date on, whoever has no second factor has to enroll', () => {
  const settings = v.parse(Settings, { enrollment: { requiredAfter: '2027-01-31' } });
  const date = Date.parse('2027-01-31') / 1000;
  assert.equal(mustEnroll(noFactor, settings, date - 1), false);
  assert.equal(mustEnroll(noFactor, settings, date), true);
});

test('the days count from the first sign-in without a second factor, to the second', () => {
  const asked = { ...noFactor, askedToEnrollAt: NOW };
  assert.equal(mustEnroll(asked, within(14), NOW + 14 * DAY - 1), false);
  assert.equal(mustEnroll(asked, within(14), NOW + 14 * DAY), true);
  // Not seen yet: all of the days are left. Without any days there is nothing to wait for.
  assert.equal(mustEnroll(noFactor, within(14), NOW), false);
  assert.equal(mustEnroll(noFactor, within(0), NOW), true);
});

test('the first sign-in is written down, and a later one does not put the enrollment off', async () => {
  const records = createMemoryRecords();
  const services = { records, settings: within(14) };
  for (const [day, must] of [
    [0, false],
    [13, false],
    [14, true],
  ] as const) {
    const factor = await records.read(user);
    assert.equal(await mustEnrollAtSignIn(services, user, factor, NOW + day * DAY), must);
    assert.equal((await records.read(user)).askedToEnrollAt, NOW);
  }
});

test('after a reset the password has to be newer than the very second it names', () => {
  const reset = { ...noFactor, reset: { passwordAfter: NOW } };
  assert.equal(afterPassword(reset), 'new_password');
  assert.equal(afterPassword({ ...reset, passwordSetAt: NOW }), 'new_password');
  assert.equal(afterPassword({ ...reset, passwordSetAt: NOW + 1 }), 'session');
});
