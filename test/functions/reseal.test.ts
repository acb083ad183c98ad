import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { challengeFor, clientOf } from '../support/client.ts';
import { keep, storedKeys } from '../support/keyring-items.ts';
import { unthrottled } from '../support/plans.ts';
import { serviceForTests } from '../support/service.ts';
import { dynamoDbOf, storedFactor, storedItem } from '../support/stored.ts';
import { enrolledPerson } from '../support/ways.ts';

const DAY = 86_400;
const lines: Record<string, unknown>[] = [];
const service = await serviceForTests(unthrottled, {
  onLog: (operation, line) => operation === 'reseal' && lines.push(JSON.parse(line)),
});
const client = clientOf(service);
const { clock } = service;

const reseal = () => keep(service, 'reseal');
const dataKeys = async () => (await storedKeys(service, 'data')).map(({ id }) => id);
/** Advances the clock until a new data key is in use everywhere and the next sweep is due. */
async function newDataKey(): Promise<string> {
  const [newest] = (await storedKeys(service, 'data')).toReversed();
  clock.advance(Math.max(0, (newest?.activeFrom ?? 0) + 90 * DAY - clock.seconds()));
  await keep(service, 'rotate-keys');
  clock.advance(DAY);
  return (await dataKeys()).at(-1) ?? assert.fail();
}

/** Returns the DynamoDB and KMS operations that reseal calls while `work` runs. */
async function callsOfReseal(work: () => Promise<unknown>): Promise<string[]> {
  const before = service.calls.length;
  await work();
  return service.calls
    .slice(before)
    .filter(({ principal }) => principal?.includes('Reseal'))
    .map(({ operation }) => operation);
}

/** Puts items of another kind into the table, because a scan reads them too. */
async function putFamilies(count: number): Promise<void> {
  const dynamoDb = dynamoDbOf(service);
  const { tableName: TableName } = service.local.dynamodb;
  const put = (_: unknown, index: number) =>
    dynamoDb.send(new PutItemCommand({ TableName, Item: { pk: { S: `FAMILY#filler-${index}` } } }));
  await Promise.all(Array.from({ length: count }, put));
  dynamoDb.destroy();
}

async function putUnreadable(pk: string): Promise<void> {
  const dynamoDb = dynamoDbOf(service);
  const { tableName: TableName } = service.local.dynamodb;
  await dynamoDb.send(
    new PutItemCommand({ TableName, Item: { pk: { S: pk }, a: { S: 'of another form' } } }),
  );
  dynamoDb.destroy();
}

test('a sweep seals every secret again and changes nothing else, and the next sweep retires the old key', async () => {
  const people = [
    await enrolledPerson(service, client),
    await enrolledPerson(service, client),
    await enrolledPerson(service, client),
  ];
  const [first = assert.fail()] = people;
  // An enrollment that stays pending for long.
  await client.post('/v1/totp/enroll', { name: 'Waiting', code: first.code() }, first.access);
  const factors = () => Promise.all(people.map(({ person }) => storedFactor(service, person)));
  const before = await factors();
  const id = await newDataKey();
  assert.equal((await dataKeys()).length, 2);

  const swept = await reseal();
  assert.deepEqual(swept, { outcome: 'finished', seen: 3, resealed: 3, unreadable: 0, retired: [] });
  const after = await factors();
  const [waiting] = after;
  assert.equal(waiting?.pending?.secret.keyId, id);
  for (const { authenticators } of after) assert.equal(authenticators[0]?.secret.keyId, id);
  const without = (value: unknown) =>
    JSON.parse(JSON.stringify(value, (key, member) => (key === 'secret' ? undefined : member)));
  assert.deepEqual(without(after), without(before));

  assert.equal((await reseal())['outcome'], 'idle');
  clock.advance(DAY);
  assert.equal(((await reseal())['retired'] as string[]).length, 1);
  assert.deepEqual(await dataKeys(), [id]);
  clock.advance(600);
  for (const { person, code } of people) {
    const challengeToken = await challengeFor(client, person);
    const answer = await client.post('/v1/auth/verify', { challengeToken, code: code() });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
  }
  const { outcome, seen, resealed } = lines[0] ?? {};
  assert.deepEqual([outcome, seen, resealed], ['finished', 3, 3]);
});

test('one of two concurrent runs is busy, and the lock of a crashed run expires', async () => {
  await newDataKey();
  const [scanning, released] = [Promise.withResolvers<void>(), Promise.withResolvers<undefined>()];
  service.setFault(({ operation }) => {
    if (operation !== 'Scan') return undefined;
    scanning.resolve();
    return released.promise;
  });
  const first = reseal();
  await scanning.promise;
  assert.equal((await reseal())['outcome'], 'busy');
  released.resolve(undefined);
  assert.equal((await first)['outcome'], 'finished');
  service.setFault(undefined);

  clock.advance(DAY);
  // The run crashes: nothing that it does after its first scan reaches the table.
  service.setFault(({ operation, principal }) =>
    operation === 'Scan' || (operation === 'UpdateItem' && scanned(principal)) ? 'error' : undefined,
  );
  let seen = false;
  function scanned(principal = ''): boolean {
    const again = seen && principal.includes('Reseal');
    if (principal.includes('Reseal')) seen = true;
    return again;
  }
  assert.equal((await service.invoke('reseal', {})).ok, false);
  service.setFault(undefined);
  assert.ok((await storedItem(service, 'JOB#reseal'))?.['run'], 'it could not release its lock');
  clock.advance(900);
  assert.equal((await reseal())['outcome'], 'busy');
  clock.advance(70);
  assert.equal((await reseal())['outcome'], 'finished');
});

test('an unreadable record is counted and keeps every key from retiring', async () => {
  await newDataKey();
  await putUnreadable('USER#users#damaged');
  const before = await dataKeys();
  for (let day = 0; day < 3; day++) {
    const { outcome, unreadable, retired } = await reseal();
    assert.deepEqual([outcome, unreadable, retired], ['finished', 1, []]);
    clock.advance(DAY);
  }
  assert.deepEqual(await dataKeys(), before);
  assert.ok(before.length > 1);
});

test('if there is only one key of each kind, it reads the two keyrings and no record', async () => {
  const fresh = await serviceForTests(unthrottled);
  const before = fresh.calls.length;
  assert.equal((await keep(fresh, 'reseal'))['outcome'], 'idle');
  const calls = fresh.calls.slice(before).map(({ service: name, operation }) => `${name}:${operation}`);
  assert.deepEqual(calls, ['dynamodb:GetItem', 'dynamodb:GetItem']);
});

test('the next run resumes a failed one where it stopped, at a bounded rate', async () => {
  await putFamilies(60);
  await enrolledPerson(service, client);
  await newDataKey();
  const before = await dataKeys();
  let scans = 0;
  service.setFault(({ operation }) => (operation === 'Scan' && ++scans > 1 ? 'error' : undefined));
  const failed = await service.invoke('reseal', {});
  service.setFault(undefined);
  assert.equal(failed.ok, false);

  const job = await storedItem(service, 'JOB#reseal');
  assert.ok(job?.['sweep']?.S, 'its progress is stored');
  assert.equal(job['run'], undefined, 'no run holds the lock');
  const began = performance.now();
  const calls = await callsOfReseal(reseal);
  // 65 items or more are three pages of 25, and one page is done.
  const pages = calls.filter((operation) => operation === 'Scan').length;
  assert.ok(pages >= 2, `${pages}`);
  assert.ok(performance.now() - began >= (pages - 1) * 1000, 'a second between pages');
  assert.equal((await storedItem(service, 'JOB#reseal'))?.['sweep'], undefined);
  assert.deepEqual(await dataKeys(), before);
});

test('its log says how much it did and names no user', async () => {
  assert.ok(lines.length > 5);
  for (const line of lines) {
    assert.deepEqual(Object.keys(line).sort(), [
      'invocationId',
      'level',
      'operation',
      'outcome',
      'resealed',
      'retired',
      'seen',
      'unreadable',
    ]);
  }
});
