import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { beforeEach, test } from 'node:test';
import {
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { KMSClient } from '@aws-sdk/client-kms';
import type { Statement } from '@countersign/local-aws/iam';
import { allow } from '@countersign/local-aws/testing/stage';
import * as v from 'valibot';
import { ensureFirstKey, rotateKey, withdrawSigningKey } from '../../adapters/key-maker.ts';
import { keyringKey } from '../../adapters/key-store.ts';
import { retryWhileDenied } from '../../adapters/retry-while-denied.ts';
import type { KeyKind } from '../../core/key-kind.ts';
import { Settings } from '../../core/settings.ts';
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
    'Encrypt',
    'GenerateDataKeyPairWithoutPlaintext',
    'GenerateDataKeyWithoutPlaintext',
    'GenerateDataKeyWithoutPlaintext',
  ]);
  for (const kind of KINDS) {
    const [key, ...others] = await stored(kind);
    assert.equal(others.length, 0);
    assert.equal(key?.['activeFrom']?.N, String(NOW - 60), 'in use at once, by every clock');
    assert.equal(key?.['wrappedPublic'] !== undefined, kind === 'signing');
    assert.equal(key?.['publicKey'], undefined, 'nothing is stored that KMS does not vouch for');
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
    // The public half of a signing key is wrapped by a call of its own.
    const usual = kind === 'signing' ? 2 : 1;
    for (const call of kind === 'signing' ? [/^Generate/, /^Encrypt/] : [/^Generate/]) {
      const { kms, dynamoDb } = await losing(call);
      assert.deepEqual([kms.length, dynamoDb], [usual + 1, ['GetItem', 'PutItem']]);
      assert.equal((await stored(kind)).length, 1);
      await forget(kind);
    }

    // Sent again, refused, and read again: somebody else might have written it.
    const put = await losing(/^PutItem/);
    assert.deepEqual([put.kms.length, put.dynamoDb], [usual, ['GetItem', 'PutItem', 'PutItem', 'GetItem']]);
    assert.equal((await stored(kind)).length, 1);
  });
}

test('a policy that is not in force yet is waited for, be it DynamoDB or KMS that denies', async () => {
  const policies: Statement[] = [];
  const maker = aws.principal('key-maker', policies);
  const [dynamoDb, kms] = [aws.dynamoDbAs(maker), aws.kmsAs(maker)];
  const making = () => ensureFirstKey({ ...aws, dynamoDb, kms }, 'data', () => NOW);
  let denied = 0;
  await retryWhileDenied(async () => {
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
  await assert.rejects(retryWhileDenied(making, [0.001]), { name: 'AccessDeniedException' });
  await assert.rejects(
    retryWhileDenied(async () => assert.fail('a defect'), [60]),
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
  assert.ok(replacement, 'there is a key to sign with');
  assert.notEqual(replacement['id']?.S, id);
  assert.equal(replacement['activeFrom']?.N, String(NOW - 60), 'in use at once');
});

test('a key made meanwhile by somebody else is not written over', async () => {
  await ensure('data');
  const settings = v.parse(Settings, { keyRotationDays: 1 });
  const later = NOW + 2 * 86_400;
  await Promise.all(Array.from({ length: 4 }, () => rotateKey(aws, 'data', settings, () => later)));
  assert.equal((await stored('data')).length, 2);
});

test('the next key is used only when every container, and for signing every verifier, can know it', async () => {
  const settings = v.parse(Settings, { keyRotationDays: 1 });
  const later = NOW + 2 * 86_400;
  for (const [kind, wait] of [
    ['data', 360],
    ['signing', 360 + 300 + 7200],
  ] as const) {
    await ensure(kind);
    await rotateKey(aws, kind, settings, () => later);
    const [, next] = await stored(kind);
    assert.equal(next?.['activeFrom']?.N, String(later + wait), kind);
  }
});

test('a keyring without any key gets one that is in use at once', async () => {
  const settings = v.parse(Settings, {});
  await rotateKey(aws, 'signing', settings, () => NOW);
  const [key] = await stored('signing');
  assert.ok(Number(key?.['activeFrom']?.N) <= NOW);
});

test('signing keys of an earlier version count as none: at its deployment a new one is made, in use at once, and they go', async () => {
  await ensure('signing');
  const [made = assert.fail()] = await stored('signing');
  const { wrappedPublic: _, ...rest } = made;
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const old = { ...rest, publicKey: { B: publicKey.export({ format: 'der', type: 'spki' }) } };
  const overwritten = (keys: (typeof made)[]) =>
    aws.dynamoDb.send(
      new PutItemCommand({
        TableName: aws.tableName,
        Item: {
          ...keyringKey('signing'),
          version: { N: '7' },
          keys: { L: keys.map((key) => ({ M: key })) },
        },
      }),
    );
  await overwritten([old, { ...old, id: { S: 'waiting' }, activeFrom: { N: String(NOW + 1000) } }]);
  await ensure('signing');
  const [fresh = assert.fail(), ...others] = await stored('signing');
  assert.deepEqual(others, []);
  assert.notEqual(fresh['id']?.S, made['id']?.S);
  assert.ok(fresh['wrappedPublic']?.B);
  assert.equal(fresh['activeFrom']?.N, String(NOW - 60));
  await ensure('signing');
  assert.deepEqual(await stored('signing'), [fresh]);

  // One beside a key that KMS vouches for goes with the next write.
  await overwritten([old, fresh]);
  await rotateKey(aws, 'signing', v.parse(Settings, { keyRotationDays: 1 }), () => NOW + 90_000);
  const ids = (await stored('signing')).map(({ id }) => id?.S);
  assert.equal(ids.length, 2);
  assert.ok(ids.includes(fresh['id']?.S) && !ids.includes(made['id']?.S));
});
