import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { secondsNow } from '../../adapters/clock.ts';
import { createRecords, recordKey } from '../../adapters/records.ts';
import { type Factor, noFactor } from '../../core/factor.ts';
import { startAws } from '../support/aws.ts';
import { known as knownTo, recordsContract, somebody } from '../support/records-contract.ts';
import { refusal } from '../support/refusal.ts';
import { readsDuring } from '../support/strong-reads.ts';

const aws = await startAws('hurried');
const records = createRecords(aws.dynamoDb, aws.tableName);
const known = (factor?: Factor) => knownTo(records, factor);

recordsContract('records in DynamoDB', {
  records,
  remove: (user) =>
    aws.dynamoDb.send(new DeleteItemCommand({ TableName: aws.tableName, Key: recordKey(user) })),
  now: secondsNow,
});

test('one read and one write, each one call', async () => {
  const { user, read } = await known();
  const calls = await aws.callsDuring(async () => {
    await records.read(user);
    await records.replace(user, read, { ...read, failures: 1 });
  });
  assert.deepEqual(calls, { dynamoDb: ['GetItem', 'UpdateItem'], kms: [] });
});

test('a record is read as it is, not as it was', async () => {
  const reads = await readsDuring(aws.dynamoDb, () => records.read(somebody()));
  assert.deepEqual(reads, [{ operation: 'GetItem', consistent: true }]);
});

test('a write whose answer was lost is answered as written, and is made once', async () => {
  for (const { user, read } of [await known(), { user: somebody(), read: noFactor }]) {
    aws.faults.push('lose-answer');
    const calls = await aws.callsDuring(async () => {
      assert.deepEqual(await records.replace(user, read, { ...read, failures: 1 }), { written: true });
    });
    assert.deepEqual(calls.dynamoDb, ['UpdateItem', 'UpdateItem']);
    assert.equal((await records.read(user)).failures, 1);
  }
});

test('a lost answer and another write before the resend: nobody knows, so nobody is told', async () => {
  const { user, read } = await known();
  const client = aws.dynamoDbAs();
  beforeResend(client, async () => {
    const current = await records.read(user);
    await records.replace(user, current, { ...current, failures: 7 });
  });
  aws.faults.push('lose-answer');
  const replaced = createRecords(client, aws.tableName).replace(user, read, { ...read, failures: 1 });
  await assert.rejects(replaced, refusal('temporarily_unavailable'));
  client.destroy();
});

test('not written at first and overtaken before the resend: unknown as well', async () => {
  const { user, read } = await known();
  const client = aws.dynamoDbAs();
  beforeResend(client, async () => {
    await records.replace(user, read, { ...read, failures: 7 });
  });
  aws.faults.push('error');
  const replaced = createRecords(client, aws.tableName).replace(user, read, { ...read, failures: 1 });
  await assert.rejects(replaced, refusal('temporarily_unavailable'));
  assert.equal((await records.read(user)).failures, 7);
  client.destroy();
});

for (const fault of ['throttle', 'error'] as const) {
  test(`${fault}: tried once more; then refused, with nothing written and a time to come back`, async () => {
    const { user, read } = await known();
    aws.faults.push(fault);
    assert.deepEqual(await records.replace(user, read, { ...read, failures: 1 }), { written: true });
    const now = await records.read(user);
    aws.faults.push(fault, fault);
    await assert.rejects(records.replace(user, now, { ...now, failures: 2 }), {
      code: 'temporarily_unavailable',
      retryAfter: 1,
    });
    assert.deepEqual(await records.read(user), now);
  });
}

test('a read that fails is a fault, never "not enrolled"', async () => {
  aws.faults.push('error', 'error');
  await assert.rejects(records.read(somebody()), refusal('temporarily_unavailable'));
});

test('a table that does not answer is given up within two seconds', async () => {
  const { user } = await known();
  aws.faults.push('hang', 'hang');
  const began = performance.now();
  await assert.rejects(records.read(user), refusal('temporarily_unavailable'));
  assert.ok(performance.now() - began < 2000);
});

test('a role that may not is refused, never let through', async () => {
  const client = aws.dynamoDbAs(aws.principal('nobody', []));
  const denied = createRecords(client, aws.tableName);
  await assert.rejects(denied.read(somebody()), refusal('temporarily_unavailable'));
  await assert.rejects(denied.replace(somebody(), noFactor, noFactor), refusal('temporarily_unavailable'));
  client.destroy();
});

test('an item that cannot be read is a fault, by reading and by a refused write', async () => {
  const { user, read } = await known();
  const Item = { pk: { S: `USER#${user.realm}#${user.sub}` }, a: { S: 'what is this?' } };
  await aws.dynamoDb.send(new PutItemCommand({ TableName: aws.tableName, Item }));
  await assert.rejects(records.read(user), refusal('temporarily_unavailable'));
  await assert.rejects(records.replace(user, read, read), refusal('temporarily_unavailable'));
});

test('a record of a former version is one of the newest after the next write, whatever that changes', async () => {
  const authenticator = {
    ...{
      i: { S: 'a1' },
      n: { S: 'Phone' },
      k: { S: 'k1' },
      b: { B: new Uint8Array(49) },
      t: { S: 'SHA1/6/30' },
    },
    ...{ s: { N: '5' }, c: { N: '1' }, u: { N: '1' } },
  };
  const user = somebody();
  const key = { pk: { S: `USER#${user.realm}#${user.sub}` } };
  const Item = { ...key, v: { N: '1' }, g: { S: 'g1' }, a: { L: [{ M: authenticator }] }, w: { S: 'w1' } };
  await aws.dynamoDb.send(new PutItemCommand({ TableName: aws.tableName, Item }));
  const read = await records.read(user);
  assert.deepEqual(read.authenticators[0]?.kind, 'totp');
  assert.deepEqual(await records.replace(user, read, { ...read, failures: 1 }), { written: true });
  const stored = await aws.dynamoDb.send(new GetItemCommand({ TableName: aws.tableName, Key: key }));
  assert.deepEqual(stored.Item?.['v'], { N: '3' });
  assert.deepEqual((await records.read(user)).authenticators, read.authenticators);
});

/** Runs once, after the first attempt of a request has failed and before the SDK's second. */
function beforeResend(client: DynamoDBClient, work: () => Promise<void>): void {
  let attempts = 0;
  client.middlewareStack.add(
    (next) => async (args) => {
      if (++attempts === 2) await work();
      return next(args);
    },
    // The SDK's retries are in this step, at high priority: what follows them runs for each attempt.
    { name: 'beforeResend', step: 'finalizeRequest', priority: 'low' },
  );
}
