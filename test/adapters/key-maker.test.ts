import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { DeleteItemCommand, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { ensureFirstKey } from '../../adapters/key-maker.ts';
import { type KeyKind, keyringKey } from '../../adapters/key-store.ts';
import { startAws } from '../support/aws.ts';

const aws = await startAws();
const KINDS: KeyKind[] = ['data', 'backup-code', 'signing'];
const NOW = 1_800_000_000;
const ensure = (kind: KeyKind) => ensureFirstKey(aws, kind, NOW);
const stored = async (kind: KeyKind) => {
  const { Item } = await aws.dynamoDb.send(
    new GetItemCommand({ TableName: aws.tableName, Key: keyringKey(kind), ConsistentRead: true }),
  );
  return (Item?.['keys']?.L ?? []).map(({ M }) => M ?? {});
};

beforeEach(async () => {
  for (const kind of KINDS) {
    await aws.dynamoDb.send(new DeleteItemCommand({ TableName: aws.tableName, Key: keyringKey(kind) }));
  }
});

test('the first key of each kind is made without anybody seeing it', async () => {
  const calls = await aws.callsDuring(() => Promise.all(KINDS.map(ensure)));
  assert.deepEqual(calls.kms.toSorted(), [
    'GenerateDataKeyPairWithoutPlaintext',
    'GenerateDataKeyWithoutPlaintext',
    'GenerateDataKeyWithoutPlaintext',
  ]);
  for (const kind of KINDS) {
    const [key, ...others] = await stored(kind);
    assert.equal(others.length, 0);
    assert.equal(key?.['activeFrom']?.N, String(NOW));
    assert.equal(key?.['publicKey'] !== undefined, kind === 'signing');
  }
});

test('saying it again changes nothing', async () => {
  await ensure('data');
  const before = await stored('data');
  await ensure('data');
  assert.deepEqual(await stored('data'), before);
});

test('ten at once make one key', async () => {
  await Promise.all(Array.from({ length: 10 }, () => ensure('backup-code')));
  assert.equal((await stored('backup-code')).length, 1);
});

test('a lost answer is no second key and no failure', async () => {
  await Promise.all([ensure('data')]);
  const [first] = await stored('data');
  await aws.dynamoDb.send(new DeleteItemCommand({ TableName: aws.tableName, Key: keyringKey('data') }));
  // The first call is KMS's: its answer is lost, then the put's.
  aws.faults.push('lose-answer');
  await ensure('data');
  const [again, ...others] = await stored('data');
  assert.equal(others.length, 0);
  assert.notEqual(again?.['id']?.S, first?.['id']?.S);
});

test('a refusal keeps its name, so that a policy not yet in force can be waited for', async () => {
  const kms = aws.kmsAs(aws.principal('nobody', []));
  await assert.rejects(ensureFirstKey({ ...aws, kms }, 'data', NOW), { name: 'AccessDeniedException' });
  kms.destroy();
  assert.deepEqual(await stored('data'), []);
});
