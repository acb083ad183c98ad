import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { DeleteItemCommand, GetItemCommand } from '@aws-sdk/client-dynamodb';
import * as v from 'valibot';
import { ensureFirstKey, rotateKey, withdrawSigningKey } from '../../adapters/key-maker.ts';
import { type KeyKind, keyringKey } from '../../adapters/key-store.ts';
import { whileDenied } from '../../adapters/while-denied.ts';
import { Settings } from '../../core/settings.ts';
import type { Statement } from '../../local/aws/types.ts';
import { allow } from '../local/aws/stage.ts';
import { startAws } from '../support/aws.ts';

const aws = await startAws();
const KINDS: KeyKind[] = ['data', 'backup-code', 'signing'];
const NOW = 1_800_000_000;
const ensure = (kind: KeyKind) => ensureFirstKey(aws, kind, () => NOW);
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
    assert.equal(key?.['activeFrom']?.N, String(NOW - 60), 'in use at once, by every clock');
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

test('a policy that is not in force yet is waited for, be it DynamoDB or KMS that denies', async () => {
  const policies: Statement[] = [];
  const maker = aws.principal('key-maker', policies);
  const [dynamoDb, kms] = [aws.dynamoDbAs(maker), aws.kmsAs(maker)];
  const making = () => ensureFirstKey({ ...aws, dynamoDb, kms }, 'data', () => NOW);
  let denied = 0;
  await whileDenied(async () => {
    try {
      return await making();
    } catch (error) {
      denied++;
      policies.push(allow(denied === 1 ? 'dynamodb:*' : 'kms:*', '*'));
      throw error;
    }
  }, [0.001, 0.001, 0.001]);
  assert.equal(denied, 2);
  assert.equal((await stored('data')).length, 1);

  policies.length = 0;
  await assert.rejects(whileDenied(making, [0.001]), { name: 'AccessDeniedException' });
  await assert.rejects(
    whileDenied(async () => assert.fail('a defect'), [60]),
    { message: 'a defect' },
    'anything else is not waited for',
  );
  dynamoDb.destroy();
  kms.destroy();
});

test('a withdrawal whose answer is lost is a withdrawal', async () => {
  await ensure('signing');
  const [key] = await stored('signing');
  // The read, the making of the pair, the write: its answer is lost, the SDK sends again and is refused.
  let calls = 0;
  const dynamoDb = aws.dynamoDbAs();
  dynamoDb.middlewareStack.add(
    (next) => async (sent) => {
      if (++calls === 2) aws.faults.push('lose-answer');
      return next(sent);
    },
    { step: 'initialize' },
  );
  assert.equal(await withdrawSigningKey({ ...aws, dynamoDb }, key?.['id']?.S ?? '', () => NOW), true);
  dynamoDb.destroy();
  assert.ok(calls >= 3, 'it read again');
  const [replacement, ...others] = await stored('signing');
  assert.deepEqual(others, []);
  assert.notEqual(replacement?.['id']?.S, key?.['id']?.S);
});

test('a key made meanwhile by somebody else is not written over', async () => {
  await ensure('data');
  const settings = v.parse(Settings, { keyRotationDays: 1 });
  const later = NOW + 2 * 86_400;
  await Promise.all(Array.from({ length: 4 }, () => rotateKey(aws, 'data', settings, () => later)));
  assert.equal((await stored('data')).length, 2);
});

test('a keyring without any key gets one that is in use at once', async () => {
  const settings = v.parse(Settings, {});
  await rotateKey(aws, 'signing', settings, () => NOW);
  const [key] = await stored('signing');
  assert.ok(Number(key?.['activeFrom']?.N) <= NOW);
});
