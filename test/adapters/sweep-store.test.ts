import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { DeleteItemCommand, GetItemCommand, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { ensureFirstKey } from '../../adapters/key-maker.ts';
import { keyringKey } from '../../adapters/key-store.ts';
import { createRecords, recordKey } from '../../adapters/records.ts';
import { createSweepStore } from '../../adapters/sweep-store.ts';
import { type Authenticator, type Factor, noFactor } from '../../core/factor.ts';
import { startAws } from '../support/aws.ts';

const aws = await startAws();
const { dynamoDb, tableName: TableName } = aws;
const records = createRecords(dynamoDb, TableName);
/** One run. */
const run = () => createSweepStore(dynamoDb, TableName);
const NOW = 1_800_000_000;
const ADA = { realm: 'users', sub: 'ada#1#two' };

const authenticator: Authenticator = {
  id: 'authenticator-1',
  name: 'Phone',
  secret: { keyId: 'old', box: new Uint8Array(50).fill(1) },
  algorithm: 'SHA1',
  digits: 6,
  period: 30,
  lastStep: 5,
  createdAt: NOW,
  lastUsedAt: NOW,
};
const { lastStep: _step, createdAt: _created, lastUsedAt: _used, ...enrolling } = authenticator;
const factor: Factor = {
  ...noFactor,
  generation: 'generation-1',
  authenticators: [authenticator],
  pending: { ...enrolling, id: 'authenticator-2', expiresAt: NOW },
  failures: 3,
};
const boxed = <A extends { secret: Authenticator['secret'] }>(one: A): A => ({
  ...one,
  secret: { keyId: 'new', box: new Uint8Array(50).fill(2) },
});
/** The same with other boxes. */
const reboxed = (read: Factor): Factor => ({
  ...read,
  authenticators: read.authenticators.map(boxed),
  pending: read.pending && boxed(read.pending),
});
const item = async () =>
  (await dynamoDb.send(new GetItemCommand({ TableName, Key: recordKey(ADA), ConsistentRead: true }))).Item;
const put = (pk: string, more = {}) =>
  dynamoDb.send(new PutItemCommand({ TableName, Item: { pk: { S: pk }, ...more } }));

beforeEach(async () => {
  const { Items = [] } = await dynamoDb.send(new ScanCommand({ TableName }));
  for (const { pk } of Items) {
    await dynamoDb.send(new DeleteItemCommand({ TableName, Key: { pk: pk ?? assert.fail() } }));
  }
  assert.deepEqual(await records.replace(ADA, noFactor, factor), { written: true });
});

test('a page has users, whatever their ids hold, and nothing else of the table; the last one says so', async () => {
  await put('FAMILY#1');
  await put('KEYRING#data');
  await put('USER#users#of-another-form', { w: { N: '1' } });
  const { records: found, cursor } = await run().page(undefined);
  const bySub = new Map(found.map((one) => [one.user.sub, one]));
  assert.deepEqual([...bySub.keys()].sort(), [ADA.sub, 'of-another-form']);
  assert.deepEqual(bySub.get(ADA.sub), { user: ADA, factor: await records.read(ADA) });
  assert.equal(bySub.get('of-another-form')?.factor, undefined);
  assert.equal(cursor, undefined);
});

test('pages go over every item once', async () => {
  await Promise.all(Array.from({ length: 70 }, (_, index) => put(`USER#users#filler-${index}`)));
  const seen: string[] = [];
  let cursor: string | undefined;
  let pages = 0;
  do {
    const page = await run().page(cursor);
    assert.ok(page.records.length <= 25);
    seen.push(...page.records.map(({ user }) => user.sub));
    cursor = page.cursor;
    pages++;
  } while (cursor !== undefined);
  assert.deepEqual([seen.length, new Set(seen).size], [71, 71]);
  assert.ok(pages >= 3);
});

test('sealing anew changes the boxes and nothing else, the id of the last write included', async () => {
  const before = await item();
  const read = await records.read(ADA);
  assert.equal(await run().reseal(ADA, read, reboxed(read)), true);
  assert.deepEqual(await records.read(ADA), reboxed(read));
  const after = await item();
  assert.deepEqual({ ...after, a: undefined, p: undefined }, { ...before, a: undefined, p: undefined });
});

test('an attempt that read before and writes after is not refused, and keeps what it did not change', async () => {
  const read = await records.read(ADA);
  assert.equal(await run().reseal(ADA, read, reboxed(read)), true);
  assert.deepEqual(await records.replace(ADA, read, { ...read, failures: 4 }), { written: true });
  const { writtenBy: _, ...stored } = await records.read(ADA);
  const { writtenBy: __, ...expected } = reboxed({ ...read, failures: 4 });
  assert.deepEqual(stored, expected);
});

test('what somebody has written since is not written over', async () => {
  const read = await records.read(ADA);
  assert.deepEqual(await records.replace(ADA, read, { ...read, failures: 4 }), { written: true });
  const before = await item();
  assert.equal(await run().reseal(ADA, read, reboxed(read)), false);
  assert.deepEqual(await item(), before);
});

test('a record that has gone meanwhile does not come back', async () => {
  const read = await records.read(ADA);
  await dynamoDb.send(new DeleteItemCommand({ TableName, Key: recordKey(ADA) }));
  assert.equal(await run().reseal(ADA, read, reboxed(read)), false);
  assert.equal(await item(), undefined);
});

test('one run has the job until it lets go or its time is over; what it saved is there for the next', async () => {
  const [one, two, three] = [run(), run(), run()];
  assert.deepEqual(await one.take(NOW), { sweep: undefined, endedAt: 0 });
  assert.equal(await two.take(NOW + 1), undefined);
  const sweep = {
    began: NOW,
    cursor: 'USER#users#x',
    met: { data: ['a'], 'backup-code': [] },
    unreadable: 1,
  };
  await one.save({ sweep, endedAt: 7 });
  await one.release();
  assert.deepEqual(await two.take(NOW + 2), { sweep, endedAt: 7 });

  assert.equal(await three.take(NOW + 900), undefined);
  assert.deepEqual(await three.take(NOW + 963), { sweep, endedAt: 7 });
  // The one whose time is over can neither save nor let go of what is no longer its own.
  await assert.rejects(two.save({ sweep: undefined, endedAt: 9 }), {
    name: 'ConditionalCheckFailedException',
  });
  await two.release();
  assert.equal(await one.take(NOW + 964), undefined);
  await three.save({ sweep: undefined, endedAt: 9 });
  await three.release();
  assert.deepEqual(await one.take(NOW + 965), { sweep: undefined, endedAt: 9 });
});

test('taking the job is a success where only the answer was lost', async () => {
  aws.faults.push('lose-answer');
  assert.deepEqual(await run().take(NOW), { sweep: undefined, endedAt: 0 });
});

test('keys are retired out of the ring as it is now, and not where it has changed', async () => {
  await ensureFirstKey(aws, 'data', () => NOW);
  const [first = assert.fail()] = await run().keys('data');
  assert.equal(await run().retire('data', ['unknown']), true);
  assert.equal((await run().keys('data')).length, 1);
  assert.equal(await run().retire('data', [first.id]), true);
  assert.deepEqual(await run().keys('data'), []);
  const { Item } = await dynamoDb.send(new GetItemCommand({ TableName, Key: keyringKey('data') }));
  assert.equal(Item?.['version']?.N, '3');
});
