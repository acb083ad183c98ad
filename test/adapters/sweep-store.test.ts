import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeleteItemCommand, GetItemCommand, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import * as v from 'valibot';
import { ensureFirstKey, rotateKey } from '../../adapters/key-maker.ts';
import { keyringKey } from '../../adapters/key-store.ts';
import { createRecords, recordKey } from '../../adapters/records.ts';
import { createSweepStore } from '../../adapters/sweep-store.ts';
import type { SecretKeyKind } from '../../core/key-kind.ts';

import { Settings } from '../../core/settings.ts';
import { startAws } from '../support/aws.ts';
import { readsDuring } from '../support/strong-reads.ts';
import { enrolled, sweepStoreContract } from '../support/sweep-store-contract.ts';

const aws = await startAws();
const { dynamoDb, tableName: TableName } = aws;
const records = createRecords(dynamoDb, TableName);
/** One run. */
const run = () => createSweepStore(dynamoDb, TableName);
const NOW = 1_800_000_000;
const settings = v.parse(Settings, { keyRotationDays: 1 });

async function emptied(): Promise<void> {
  const { Items = [] } = await dynamoDb.send(new ScanCommand({ TableName }));
  for (const { pk } of Items) {
    await dynamoDb.send(new DeleteItemCommand({ TableName, Key: { pk: pk ?? assert.fail() } }));
  }
}
const put = (pk: string, more = {}) =>
  dynamoDb.send(new PutItemCommand({ TableName, Item: { pk: { S: pk }, ...more } }));

let days = 0;
/** A further key of that kind, as rotate-keys makes it when one is due. */
async function newKey(kind: SecretKeyKind): Promise<string> {
  days += 2;
  await rotateKey(aws, kind, settings, () => NOW + days * 86_400);
  return (await run().keys(kind)).at(-1)?.id ?? assert.fail();
}

sweepStoreContract('a sweep over DynamoDB', async () => {
  await emptied();
  for (const kind of ['data', 'backup-code'] as const) await ensureFirstKey(aws, kind, () => NOW);
  return {
    run,
    records,
    remove: (user) => dynamoDb.send(new DeleteItemCommand({ TableName, Key: recordKey(user) })),
    damage: (user) => put(recordKey(user).pk.S ?? '', { w: { N: '1' } }),
    newKey,
  };
});

test('a page is of 25 items at most, and nothing else of the table is in it', async () => {
  await emptied();
  await put('KEYRING#data');
  const ids = Array.from({ length: 35 }, (_, index) => index);
  await Promise.all(ids.flatMap((id) => [put(`FAMILY#${id}`), put(`USER#users#${id}`)]));
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await run().page(cursor);
    assert.ok(page.records.length <= 25);
    found.push(...page.records.map(({ user }) => user.sub));
    cursor = page.cursor;
  } while (cursor !== undefined);
  assert.deepEqual(found.toSorted(), ids.map(String).toSorted());
});

test('sealing anew changes two attributes of an item, and no other', async () => {
  await emptied();
  const { user, read, reboxed } = await enrolled(records);
  const item = async () =>
    (await dynamoDb.send(new GetItemCommand({ TableName, Key: recordKey(user), ConsistentRead: true }))).Item;
  const before = await item();
  assert.equal(await run().reseal(user, read, reboxed), true);
  assert.deepEqual(
    { ...(await item()), a: undefined, p: undefined },
    { ...before, a: undefined, p: undefined },
  );
});

test('taking the job is a success where only the answer was lost', async () => {
  await emptied();
  aws.faults.push('lose-answer');
  assert.deepEqual(await run().take(NOW), { sweep: undefined, endedAt: 0 });
});

test('keys are retired out of the ring as it is now, and not where it changes meanwhile', async () => {
  await emptied();
  await ensureFirstKey(aws, 'data', () => NOW);
  const [first = assert.fail()] = await run().keys('data');
  const client = aws.dynamoDbAs();
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (sent) => {
        if (commandName === 'PutItemCommand') await newKey('data');
        return next(sent);
      },
    { step: 'initialize' },
  );
  assert.equal(await createSweepStore(client, TableName).retire('data', [first.id]), false);
  client.destroy();
  assert.equal((await run().keys('data')).length, 2);

  assert.equal(await run().retire('data', [first.id]), true);
  assert.equal((await run().keys('data')).length, 1);
  const { Item } = await dynamoDb.send(new GetItemCommand({ TableName, Key: keyringKey('data') }));
  assert.equal(Item?.['version']?.N, '3');
});

test('a retirement is a success where only the answer of its write was lost', async () => {
  await emptied();
  await ensureFirstKey(aws, 'data', () => NOW);
  const [first = assert.fail()] = await run().keys('data');
  await newKey('data');
  const client = aws.dynamoDbAs();
  client.middlewareStack.add(
    (next, { commandName }) =>
      (sent) => {
        if (commandName === 'PutItemCommand') aws.faults.push('lose-answer');
        return next(sent);
      },
    { step: 'initialize' },
  );
  assert.equal(await createSweepStore(client, TableName).retire('data', [first.id]), true);
  client.destroy();
  assert.ok(!(await run().keys('data')).some(({ id }) => id === first.id));
});

test('records are read as they are, not as they were: no key in use is taken for an unused one', async () => {
  const reads = await readsDuring(dynamoDb, () => run().page(undefined));
  assert.deepEqual(reads, [{ operation: 'Scan', consistent: true }]);
});
