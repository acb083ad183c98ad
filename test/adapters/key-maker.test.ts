import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { DeleteItemCommand, type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import type { KMSClient } from '@aws-sdk/client-kms';
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

const forget = (kind: KeyKind) =>
  aws.dynamoDb.send(new DeleteItemCommand({ TableName: aws.tableName, Key: keyringKey(kind) }));

beforeEach(async () => {
  for (const kind of KINDS) await forget(kind);
});

/** The calls that `work` makes by clients of whose first call of such an operation the answer is lost. */
async function losingAnswer(
  operation: RegExp,
  work: (clients: { dynamoDb: DynamoDBClient; kms: KMSClient }) => Promise<unknown>,
) {
  let met = 0;
  const clients = { dynamoDb: aws.dynamoDbAs(), kms: aws.kmsAs() };
  for (const client of Object.values(clients)) {
    // The same stack in both, but for the types of what goes through it.
    const { middlewareStack } = client as DynamoDBClient;
    middlewareStack.add(
      (next, { commandName = '' }) =>
        async (sent) => {
          if (operation.test(commandName) && ++met === 1) aws.faults.push('lose-answer');
          return next(sent);
        },
      { step: 'initialize' },
    );
  }
  const calls = await aws.callsDuring(() => work(clients));
  for (const client of Object.values(clients)) client.destroy();
  return calls;
}

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

for (const kind of KINDS) {
  test(`${kind}: whichever answer is lost, KMS's or the table's, there is one key and no failure`, async () => {
    const losing = (operation: RegExp) =>
      losingAnswer(operation, (clients) => ensureFirstKey({ ...aws, ...clients }, kind, () => NOW));
    const { kms, dynamoDb } = await losing(/^Generate/);
    assert.deepEqual([kms.length, dynamoDb], [2, ['GetItem', 'PutItem']]);
    assert.equal((await stored(kind)).length, 1);

    await forget(kind);
    // Sent again, refused, and read again: somebody else might have written it.
    const put = await losing(/^PutItem/);
    assert.deepEqual([put.kms.length, put.dynamoDb], [1, ['GetItem', 'PutItem', 'PutItem', 'GetItem']]);
    assert.equal((await stored(kind)).length, 1);
  });
}

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
  const id = key?.['id']?.S ?? '';
  const { dynamoDb } = await losingAnswer(/^PutItem/, async (clients) => {
    assert.equal(await withdrawSigningKey({ ...aws, ...clients }, id, () => NOW), true);
  });
  assert.deepEqual(dynamoDb, ['GetItem', 'PutItem', 'PutItem', 'GetItem']);
  const [replacement, ...others] = await stored('signing');
  assert.deepEqual(others, []);
  assert.notEqual(replacement?.['id']?.S, id);
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
