import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import { createRecords } from '../../adapters/records.ts';
import { type Factor, noFactor } from '../../core/factor.ts';
import { anyFactor } from '../support/any-factor.ts';
import { startAws } from '../support/aws.ts';
import { refusal } from '../support/refusal.ts';

const aws = await startAws();
const records = createRecords(aws.dynamoDb, aws.tableName);
let people = 0;
const somebody = () => ({ realm: 'users', sub: `person-${++people}` });
/** Without what the store adds. */
const asGiven = (factor: Factor) => ({ ...factor, writtenBy: undefined, changedAt: 0 });

/** Somebody of whom something is stored. */
async function known(factor: Factor = { ...noFactor, generation: 'g1' }) {
  const user = somebody();
  await records.replace(user, noFactor, factor);
  return { user, read: await records.read(user) };
}

test('nobody is stored yet: no factor; the first write makes the item, once', async () => {
  const user = somebody();
  assert.deepEqual(await records.read(user), noFactor);
  assert.deepEqual(await records.replace(user, noFactor, { ...noFactor, generation: 'g1' }), {
    written: true,
  });
  const second = await records.replace(user, noFactor, { ...noFactor, generation: 'g2' });
  assert.ok(!second.written);
  assert.equal(second.stored.generation, 'g1');
});

test('whatever is stored, and whatever it replaces, reads back as it was', async () => {
  await fc.assert(
    fc.asyncProperty(anyFactor, anyFactor, async (one, other) => {
      const { user, read } = await known(one);
      assert.deepEqual(asGiven(read), asGiven(one));
      assert.deepEqual(await records.replace(user, read, other), { written: true });
      assert.deepEqual(asGiven(await records.read(user)), asGiven(other));
    }),
    { numRuns: 15 },
  );
});

test('a new generation is stored as of the latest end of its write, so that no sign-in beside it counts as a later one', async () => {
  const { user, read } = await known();
  const begun = Math.floor(Date.now() / 1000);
  await records.replace(user, read, { ...read, generation: 'g2', changedAt: begun - 9 });
  const changed = await records.read(user);
  assert.ok(
    changed.changedAt >= begun + 2 && changed.changedAt <= begun + 4,
    String(changed.changedAt - begun),
  );
  await records.replace(user, changed, { ...changed, failures: 1 });
  assert.equal((await records.read(user)).changedAt, changed.changedAt, 'nothing else moves it');
});

test('one read and one write, each one call', async () => {
  const { user, read } = await known();
  const calls = await aws.callsDuring(async () => {
    await records.read(user);
    await records.replace(user, read, { ...read, failures: 1 });
  });
  assert.deepEqual(calls, { dynamoDb: ['GetItem', 'UpdateItem'], kms: [] });
});

test('of thirty writes from one reading exactly one is made, and every other sees it', async () => {
  const { user, read } = await known();
  const outcomes = await Promise.all(
    Array.from({ length: 30 }, (_, failures) => records.replace(user, read, { ...read, failures })),
  );
  const winner = outcomes.findIndex(({ written }) => written);
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.written) assert.equal(index, winner);
    else assert.equal(outcome.stored.failures, winner);
  }
});

test('a write that changes nothing still excludes every other from the same reading', async () => {
  const { user, read } = await known();
  assert.deepEqual(await records.replace(user, read, read), { written: true });
  assert.equal((await records.replace(user, read, { ...read, failures: 1 })).written, false);
});

test('users of other realms and ids that look alike have other items', async () => {
  const { user, read } = await known();
  for (const other of [
    { ...user, realm: 'partners' },
    { ...user, sub: `${user.sub}#` },
    { ...user, sub: '' },
  ]) {
    assert.deepEqual(await records.read(other), noFactor);
  }
  assert.equal(read.generation, 'g1');
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
