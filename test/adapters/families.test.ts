import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { createFamilies } from '../../adapters/families.ts';
import { startAws } from '../support/aws.ts';
import { ENDS, familiesContract, family, later } from '../support/families-contract.ts';
import { refusal } from '../support/refusal.ts';
import { readsDuring } from '../support/strong-reads.ts';

const aws = await startAws();
const families = createFamilies(aws.dynamoDb, aws.tableName);
const advance = (id: string, sequence: number, times = later(0)) => families.advance(id, sequence, times);
/** Creates families that call `meanwhile` before each attempt at a call, with its number. */
function familiesWith(meanwhile: (attempt: number) => unknown) {
  const client = aws.dynamoDbAs();
  let attempts = 0;
  client.middlewareStack.add(
    (next) => async (sent) => {
      await meanwhile(++attempts);
      return next(sent);
    },
    { step: 'finalizeRequest', priority: 'low' },
  );
  after(() => client.destroy());
  return { families: createFamilies(client, aws.tableName), attempts: () => attempts };
}

familiesContract('families in DynamoDB', families);

test('each use of a token, and each end, is one write', async () => {
  const id = family();
  const { dynamoDb } = await aws.callsDuring(async () => {
    for (const sequence of [0, 1]) await advance(id, sequence);
    await families.end(id, ENDS);
  });
  assert.deepEqual(dynamoDb, ['UpdateItem', 'UpdateItem', 'UpdateItem']);
});

test('a use within the grace is two writes and no read', async () => {
  const id = family();
  await advance(id, 0);
  const { dynamoDb } = await aws.callsDuring(() => advance(id, 0));
  assert.deepEqual(dynamoDb, ['UpdateItem', 'UpdateItem']);
});

test('an item outlives the last token of its family', async () => {
  const [used, ended] = [family(), family()];
  await advance(used, 0);
  await families.end(ended, ENDS);
  for (const id of [used, ended]) {
    const Key = { pk: { S: `FAMILY#${id}` } };
    const { Item } = await aws.dynamoDb.send(new GetItemCommand({ TableName: aws.tableName, Key }));
    assert.ok(Number(Item?.['ttl']?.N) > ENDS);
  }
});

test('a lost response does not count as a replay: the family stays valid', async () => {
  const id = family();
  for (const sequence of [0, 1]) {
    aws.faults.push('lose-answer');
    assert.equal(await advance(id, sequence), true);
  }
  assert.equal(await advance(id, 2), true);
});

test('a family that ends between a write and its retry has ended', async () => {
  const id = family();
  await advance(id, 0);
  const slow = familiesWith((attempt) =>
    attempt === 1 ? aws.faults.push('lose-answer') : families.end(id, ENDS),
  );
  assert.equal(await slow.families.advance(id, 1, later(0)), false);
  assert.equal(slow.attempts(), 2);
});

test('a lost response to the write of the grace does not count as a third use', async () => {
  const id = family();
  await advance(id, 0);
  const slow = familiesWith((attempt) => attempt === 2 && aws.faults.push('lose-answer'));
  assert.equal(await slow.families.advance(id, 0, later(0)), true);
  assert.equal(slow.attempts(), 3);
  assert.equal(await advance(id, 1), true);
});

test('a winner whose response is lost while another request uses the grace keeps its sequence', async () => {
  const id = family();
  const slow = familiesWith(async (attempt) => {
    if (attempt === 1) aws.faults.push('lose-answer');
    else assert.equal(await advance(id, 0), true);
  });
  assert.equal(await slow.families.advance(id, 0, later(0)), true);
  assert.equal(slow.attempts(), 2);
  assert.equal(await advance(id, 1, later(3600)), true);
});

for (const [what, meanwhile] of [
  ['another request used the grace', (id: string) => advance(id, 0)],
  ['the family advanced', (id: string) => advance(id, 1)],
  ['the family ended', (id: string) => families.end(id, ENDS)],
] as const) {
  test(`if ${what} between the two writes, there is no grace and the family ends`, async () => {
    const id = family();
    await advance(id, 0);
    const slow = familiesWith((attempt) => attempt === 2 && meanwhile(id));
    assert.equal(await slow.families.advance(id, 0, later(0)), false);
    for (const sequence of [1, 2]) assert.equal(await advance(id, sequence), false);
  });
}

test('a family that was stored before the grace existed has none', async () => {
  const id = family();
  const Item = { pk: { S: `FAMILY#${id}` }, n: { N: '1' }, w: { S: 'an-older-version' } };
  await aws.dynamoDb.send(new PutItemCommand({ TableName: aws.tableName, Item }));
  assert.equal(await advance(id, 0), false);
  assert.equal(await advance(id, 1), false);
});

test('a fault refuses and neither advances nor ends the family', async () => {
  const id = family();
  await advance(id, 0);
  aws.faults.push('error', 'error');
  await assert.rejects(advance(id, 1), refusal('temporarily_unavailable'));
  aws.faults.push('error', 'error');
  await assert.rejects(families.end(id, ENDS), refusal('temporarily_unavailable'));
  aws.faults.push('error', 'error');
  await assert.rejects(families.isEnded(id), refusal('temporarily_unavailable'));
  assert.equal(await advance(id, 1), true);
});

test('a replay is a fault if its family cannot be ended, and a retry ends it', async () => {
  const id = family();
  await advance(id, 0);
  await advance(id, 1);
  const client = aws.dynamoDbAs(aws.principal('nobody', []));
  await assert.rejects(
    createFamilies(client, aws.tableName).advance(id, 0, later(0)),
    refusal('temporarily_unavailable'),
  );
  client.destroy();
  assert.equal(await advance(id, 0), false);
  assert.equal(await advance(id, 2), false);
});

test('whether a session has ended is read strongly consistently', async () => {
  const reads = await readsDuring(aws.dynamoDb, () => families.isEnded(family()));
  assert.deepEqual(reads, [{ operation: 'GetItem', consistent: true }]);
});
