import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { createFamilies } from '../../adapters/families.ts';
import { startAws } from '../support/aws.ts';
import { ENDS, familiesContract, family } from '../support/families-contract.ts';
import { refusal } from '../support/refusal.ts';

const aws = await startAws();
const families = createFamilies(aws.dynamoDb, aws.tableName);
const advance = (id: string, sequence: number) => families.advance(id, sequence, ENDS);

familiesContract('families in DynamoDB', families);

test('each use of a token, and each end, is one write', async () => {
  const id = family();
  const { dynamoDb } = await aws.callsDuring(async () => {
    for (const sequence of [0, 1]) await advance(id, sequence);
    await families.end(id, ENDS);
  });
  assert.deepEqual(dynamoDb, ['UpdateItem', 'UpdateItem', 'UpdateItem']);
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
  aws.faults.push('error', 'error');
  await assert.rejects(families.isEnded(id), refusal('temporarily_unavailable'));
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
