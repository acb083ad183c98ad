import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { type Attempt, attempt } from '../../core/attempt.ts';
import { unavailable } from '../../core/error.ts';
import { byUser } from '../../core/events.ts';
import { type Factor, noFactor } from '../../core/factor.ts';
import { forgiveFailures } from '../../core/limits.ts';
import { Settings } from '../../core/settings.ts';
import { stepUpSucceeded } from '../../core/transitions.ts';
import { createMemoryRecords } from '../support/memory-records.ts';
import { refusal } from '../support/refusal.ts';

const settings = v.parse(Settings, {});
const NOW = 1_800_000_000;
const user = { realm: 'users', sub: 'alice' };
const enabled: Factor = { ...noFactor, generation: 'g1' };

/** The factor in which the code is used up; undefined if the code is wrong. */
type Check = (read: Factor) => Factor | undefined;
const context = byUser('web', NOW);
const method = 'totp';

function stepUp(read: Factor, check: Check): Attempt {
  return {
    attempted: 'step_up',
    method,
    budget: 'code',
    async decide() {
      const factor = check(read);
      return factor && stepUpSucceeded({ factor, proved: { method, authenticatorIds: ['a1'] } }, context);
    },
  };
}

async function startWith(factor: Factor) {
  const records = createMemoryRecords();
  records.put(user, factor);
  const run = async (check: Check) => {
    const read = await records.read(user);
    return attempt({ records, settings }, user, read, stepUp(read, check), context);
  };
  return { records, run };
}
const right = (read: Factor) => ({ ...forgiveFailures(read), provenBy: 'right' });
const wrong = () => undefined;

test('a right code is accepted by its write, which forgives and notes it', async () => {
  const { records, run } = await startWith({ ...enabled, failures: 3 });
  await run(right);
  const { failures, event, provenBy } = await records.read(user);
  assert.deepEqual([failures, event, provenBy], [0, { type: 'step_up.succeeded', at: NOW, method }, 'right']);
});

test('a wrong code is one failure more', async () => {
  const { records, run } = await startWith({ ...enabled, failures: 3 });
  await assert.rejects(run(wrong), refusal('code_rejected'));
  const { failures, event } = await records.read(user);
  assert.deepEqual([failures, event], [4, { type: 'step_up.refused', at: NOW, method }]);
});

test('of thirty right codes at once exactly one is accepted', async () => {
  const { run } = await startWith(enabled);
  const outcomes = await Promise.allSettled(Array.from({ length: 30 }, () => run(right)));
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') assert.equal(outcome.reason.code, 'code_rejected');
  }
});

test('a burst of a thousand guesses is heard once, and learns nothing of the right one in it', async () => {
  const { records, run } = await startWith({ ...enabled, failures: 4 });
  const guesses = Array.from({ length: 1000 }, (_, guess) => run(guess === 500 ? right : wrong));
  const outcomes = await Promise.allSettled(guesses);
  assert.ok(outcomes.every(({ status }) => status === 'rejected'));
  const answers = outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : ''));
  // The one that was heard locked; every other is told of the lock, whatever its code was.
  assert.deepEqual(answers, ['code_rejected', ...Array.from({ length: 999 }, () => 'too_many_attempts')]);
  assert.equal((await records.read(user)).failures, 5);
});

test('a locked or stopped factor: no code is compared at all', async () => {
  for (const [state, code] of [
    [{ lockedUntil: NOW + 1 }, 'too_many_attempts'],
    [{ failures: 100 }, 'factor_stopped'],
  ] as const) {
    const { records, run } = await startWith({ ...enabled, ...state });
    const before = await records.read(user);
    await assert.rejects(
      run(() => assert.fail('compared')),
      refusal(code),
    );
    assert.deepEqual(await records.read(user), before);
  }
});

test('a fault while comparing refuses and charges nothing', async () => {
  const { records, run } = await startWith(enabled);
  const before = await records.read(user);
  await assert.rejects(
    run(() => {
      throw unavailable();
    }),
    refusal('temporarily_unavailable'),
  );
  assert.deepEqual(await records.read(user), before);
});

test('a failing write refuses, whether the code was right or wrong', async () => {
  const { records } = await startWith(enabled);
  const read = await records.read(user);
  const failing = { ...records, replace: () => Promise.reject(unavailable()) };
  for (const check of [right, wrong]) {
    await assert.rejects(
      attempt({ records: failing, settings }, user, read, stepUp(read, check), context),
      refusal('temporarily_unavailable'),
    );
  }
});

test('a right code that comes second is answered by what is stored, never by its comparison', async () => {
  const { records, run } = await startWith({ ...enabled, failures: 98 });
  const overtaken = run((read) => {
    records.put(user, { ...read, failures: 100 });
    return right(read);
  });
  await assert.rejects(overtaken, refusal('factor_stopped'));
});

test('challenges that have expired are forgotten with the next write, the others are not', async () => {
  const { records, run } = await startWith({ ...enabled, answered: { old: NOW, current: NOW + 1 } });
  await assert.rejects(run(wrong), refusal('code_rejected'));
  assert.deepEqual((await records.read(user)).answered, { current: NOW + 1 });
});
