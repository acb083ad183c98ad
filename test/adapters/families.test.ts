import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { createFamilies } from '../../adapters/families.ts';
import { startAws } from '../support/aws.ts';
import { refusal } from '../support/refusal.ts';

const aws = await startAws();
const families = createFamilies(aws.dynamoDb, aws.tableName);
const ENDS = 1_900_000_000;
let made = 0;
const family = () => `family-${++made}`;
const advance = (id: string, sequence: number) => families.advance(id, sequence, ENDS);

test('each sequence is used once, in order, by one write', async () => {
  const id = family();
  for (const sequence of [0, 1, 2]) {
    const calls = await aws.callsDuring(async () => assert.equal(await advance(id, sequence), true));
    assert.deepEqual(calls.dynamoDb, ['UpdateItem']);
  }
});

for (const replayed of [0, 1]) {
  test(`sequence ${replayed} used again ends the family, its newest token too`, async () => {
    const id = family();
    for (const sequence of [0, 1, 2]) await advance(id, sequence);
    assert.equal(await advance(id, replayed), false);
    assert.equal(await advance(id, 3), false);
    assert.equal(await advance(id, 0), false);
  });
}

test('a sequence that was never reached is refused', async () => {
  const id = family();
  assert.equal(await advance(id, 5), false);
  assert.equal(await advance(id, 0), false);
});

test('of thirty uses at once exactly one is the first, and the family has ended', async () => {
  const id = family();
  const uses = await Promise.all(Array.from({ length: 30 }, () => advance(id, 0)));
  assert.equal(uses.filter(Boolean).length, 1);
  assert.equal(await advance(id, 1), false);
});

test('a family ended before its first use, or twice, stays ended', async () => {
  const id = family();
  await families.end(id, ENDS);
  await families.end(id, ENDS);
  assert.equal(await advance(id, 0), false);
});

test('what is stored goes some time after the last token has ended', async () => {
  const [used, ended] = [family(), family()];
  await advance(used, 0);
  await families.end(ended, ENDS);
  for (const id of [used, ended]) {
    const Key = { pk: { S: `FAMILY#${id}` } };
    const { Item } = await aws.dynamoDb.send(new GetItemCommand({ TableName: aws.tableName, Key }));
    assert.ok(Number(Item?.['ttl']?.N) > ENDS);
  }
});

test('a lost answer is not taken for a replay: the family goes on', async () => {
  const id = family();
  for (const sequence of [0, 1]) {
    aws.faults.push('lose-answer');
    assert.equal(await advance(id, sequence), true);
  }
  assert.equal(await advance(id, 2), true);
});

test('a family that was ended between a write and its being sent again has ended', async () => {
  const id = family();
  await advance(id, 0);
  const client = aws.dynamoDbAs();
  let attempts = 0;
  client.middlewareStack.add(
    (next) => async (sent) => {
      if (++attempts === 1) aws.faults.push('lose-answer');
      else await families.end(id, ENDS);
      return next(sent);
    },
    { step: 'finalizeRequest', priority: 'low' },
  );
  assert.equal(await createFamilies(client, aws.tableName).advance(id, 1, ENDS), false);
  assert.equal(attempts, 2);
  client.destroy();
});

test('a fault refuses and neither advances nor ends the family', async () => {
  const id = family();
  await advance(id, 0);
  aws.faults.push('error', 'error');
  await assert.rejects(advance(id, 1), refusal('temporarily_unavailable'));
  aws.faults.push('error', 'error');
  await assert.rejects(families.end(id, ENDS), refusal('temporarily_unavailable'));
  assert.equal(await advance(id, 1), true);
});

test('a replay whose family cannot be ended is a fault, and ends it when it comes again', async () => {
  const id = family();
  await advance(id, 0);
  await advance(id, 1);
  const client = aws.dynamoDbAs(aws.principal('nobody', []));
  await assert.rejects(
    createFamilies(client, aws.tableName).advance(id, 0, ENDS),
    refusal('temporarily_unavailable'),
  );
  client.destroy();
  assert.equal(await advance(id, 0), false);
  assert.equal(await advance(id, 2), false);
});
