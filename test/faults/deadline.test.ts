// No call is begun that could not end before the answer: else its write might follow the answer, even in another invocation.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { within } from '../../adapters/deadline.ts';
import { createRecords } from '../../adapters/records.ts';
import { noFactor } from '../../core/factor.ts';
import { startAws } from '../support/aws.ts';
import { refusal } from '../support/refusal.ts';

const aws = await startAws('hurried');
const records = createRecords(aws.dynamoDb, aws.tableName);
const next = { ...noFactor, failures: 1 };
const user = (sub: string) => ({ realm: 'users', sub });
await records.read(user('nobody'));

const endingIn = (milliseconds: number) => {
  const ends = performance.now() + milliseconds;
  return () => ends - performance.now();
};

test('with too little time left nothing is asked at all', async () => {
  const { dynamoDb } = await aws.callsDuring(() =>
    within(endingIn(550), async () => {
      const refused = refusal('temporarily_unavailable');
      await assert.rejects(records.read(user('late')), refused);
      await assert.rejects(records.replace(user('late'), noFactor, next), refused);
    }),
  );
  assert.deepEqual(dynamoDb, []);
});

test('with time for one attempt there is no second one', async () => {
  aws.faults.push('hang-after');
  const { dynamoDb } = await aws.callsDuring(() =>
    within(endingIn(1150), async () => {
      const write = records.replace(user('once'), noFactor, next);
      await assert.rejects(write, refusal('temporarily_unavailable'));
    }),
  );
  assert.deepEqual(dynamoDb, ['UpdateItem']);
});

test('with time for both there are both, and work outside of any invocation has all the time', async () => {
  for (const [sub, work] of Object.entries({
    inside: (write: () => Promise<unknown>) => within(endingIn(3000), write),
    outside: (write: () => Promise<unknown>) => write(),
  })) {
    aws.faults.push('lose-answer');
    assert.deepEqual(await work(() => records.replace(user(sub), noFactor, next)), { written: true });
  }
});

test('two invocations at once have each their own time', async () => {
  const [late, early] = await Promise.allSettled([
    within(endingIn(0), () => records.read(user('late'))),
    within(endingIn(5000), () => records.read(user('early'))),
  ]);
  assert.deepEqual([late.status, early.status], ['rejected', 'fulfilled']);
});
