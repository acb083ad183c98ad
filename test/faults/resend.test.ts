// What the SDK sends again: how often, how long it takes, and what is known afterwards.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { DecryptCommand } from '@aws-sdk/client-kms';
import type { Fault } from '@countersign/local-aws/context';
import { createFamilies } from '../../adapters/families.ts';
import { createRecords } from '../../adapters/records.ts';
import { noFactor } from '../../core/factor.ts';
import { randomId } from '../../core/random.ts';
import { startAws } from '../support/aws.ts';
import { refusal } from '../support/refusal.ts';

const aws = await startAws('hurried');
const records = createRecords(aws.dynamoDb, aws.tableName);
const families = createFamilies(aws.dynamoDb, aws.tableName);
/** No grace: a second use is a replay. */
const TIMES = { endsAt: 2_000_000_000, now: 1_900_000_000, grace: 0 };
const Key = { pk: { S: 'USER#users#somebody' } };
const calls = {
  DynamoDB: () => aws.dynamoDb.send(new GetItemCommand({ TableName: aws.tableName, Key })),
  KMS: () => aws.kms.send(new DecryptCommand({ CiphertextBlob: Buffer.from('nothing') })),
};
/** The most milliseconds until a call that always meets it is given up; and some for a busy machine. */
const LONGEST: Record<Fault, number> = {
  throttle: 100,
  error: 50,
  reset: 50,
  'error-after': 50,
  'lose-answer': 50,
  hang: 1250,
  'hang-after': 1250,
  stall: 1250,
};
const faults = Object.keys(LONGEST) as Fault[];
const BUSY = 600;
await calls.DynamoDB();

for (const [dependency, call] of Object.entries(calls)) {
  test(`${dependency} is asked twice, whatever goes wrong, and given up in time`, async (t) => {
    // What comes after the work is nothing else to a service that only reads.
    for (const fault of faults.filter((fault) => dependency === 'DynamoDB' || !fault.endsWith('-after'))) {
      aws.faults.splice(0, Number.POSITIVE_INFINITY, fault, fault, fault);
      const begun = performance.now();
      await assert.rejects(call(), (error: { $metadata?: { attempts?: number } }) => {
        assert.equal(error.$metadata?.attempts, 2, fault);
        return true;
      });
      const took = performance.now() - begun;
      t.diagnostic(`${fault}: ${Math.round(took)} ms`);
      assert.ok(took < LONGEST[fault] + BUSY, `${fault}: ${took} ms`);
      assert.equal(aws.faults.length, 1, `${fault}: it was asked twice`);
    }
    aws.faults.length = 0;
  });
}

test('a condition that fails on sending again says so, after a time-out as after a cut connection', async () => {
  for (const fault of ['hang-after', 'lose-answer', 'error-after', 'stall'] as const) {
    aws.faults.push(fault);
    const update = new UpdateItemCommand({
      TableName: aws.tableName,
      Key: { pk: { S: `once-${fault}` } },
      UpdateExpression: 'SET w = :w',
      ConditionExpression: 'attribute_not_exists(pk)',
      ExpressionAttributeValues: { ':w': { S: 'mine' } },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    await assert.rejects(aws.dynamoDb.send(update), (error: Record<string, unknown>) => {
      assert.equal(error['name'], 'ConditionalCheckFailedException', fault);
      assert.equal((error['$metadata'] as { attempts?: number }).attempts, 2, fault);
      assert.equal((error['Item'] as Record<string, { S?: string }>)['w']?.S, 'mine', fault);
      return true;
    });
  }
});

test('a write whose answer is lost, late, cut or a failure is known to be ours, and was made once', async () => {
  for (const fault of faults) {
    const user = { realm: 'users', sub: `replaced-${fault}` };
    aws.faults.push(fault);
    assert.deepEqual(await records.replace(user, noFactor, { ...noFactor, failures: 1 }), { written: true });
    assert.equal((await records.read(user)).failures, 1);
  }
  for (const fault of ['error-after', 'lose-answer', 'hang-after'] as const) {
    const family = randomId();
    aws.faults.push(fault);
    assert.equal(await families.advance(family, 0, TIMES), true, fault);
    assert.equal(await families.advance(family, 1, TIMES), true, fault);
  }
});

test('a refresh token that was used before is known as such, also by a second attempt', async () => {
  for (const fault of ['throttle', 'reset', 'lose-answer'] as const) {
    const family = randomId();
    await families.advance(family, 0, TIMES);
    aws.faults.push(fault);
    assert.equal(await families.advance(family, 0, TIMES), false, fault);
    assert.equal(await families.advance(family, 1, TIMES), false, 'the family has ended');
  }
});

test('a use within the grace is given once, whichever of its two writes loses its answer', async () => {
  const times = { ...TIMES, grace: 5 };
  for (const fault of ['throttle', 'reset', 'error-after', 'lose-answer', 'hang-after'] as const) {
    for (const clear of [0, 1]) {
      const family = randomId();
      await families.advance(family, 0, times);
      const client = aws.dynamoDbAs();
      let calls = 0;
      client.middlewareStack.add(
        (next) => async (sent) => {
          if (calls++ === clear) aws.faults.push(fault);
          return next(sent);
        },
        { step: 'initialize' },
      );
      const what = `${fault}, write ${clear + 1}`;
      assert.equal(await createFamilies(client, aws.tableName).advance(family, 0, times), true, what);
      client.destroy();
      assert.equal(calls, 2, what);
      assert.equal(await families.advance(family, 1, times), true, `${what}: the family goes on`);
      assert.equal(await families.advance(family, 0, times), false, `${what}: once`);
    }
  }
});

test('what always fails after the write is a fault, and was written once', async () => {
  for (const fault of ['lose-answer', 'error-after'] as const) {
    const user = { realm: 'users', sub: `unknown-${fault}` };
    aws.faults.push(fault, fault);
    const next = { ...noFactor, failures: 1 };
    await assert.rejects(records.replace(user, noFactor, next), refusal('temporarily_unavailable'));
    assert.equal((await records.read(user)).failures, 1);
  }
});
