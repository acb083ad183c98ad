import assert from 'node:assert/strict';
import { sign, verify } from 'node:crypto';
import { beforeEach, test } from 'node:test';
import { DeleteItemCommand, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { ensureFirstKey } from '../../adapters/key-maker.ts';
import { type KeyKind, keyringKey } from '../../adapters/key-store.ts';
import { createKeyring, createPublicSigningKeys, createSigningKeys } from '../../adapters/keyring.ts';
import { createUnwrap } from '../../adapters/unwrap.ts';
import { startAws } from '../support/aws.ts';
import { refusal } from '../support/refusal.ts';

const aws = await startAws();
const NOW = 1_800_000_000;
const HOLD = 300;
const KINDS: KeyKind[] = ['data', 'backup-code', 'signing'];
const options = { dynamoDb: aws.dynamoDb, tableName: aws.tableName, hold: HOLD };
const unwrap = createUnwrap(aws.kms, aws.environment);
/** What a container has that has just started. */
const keyring = () => createKeyring(options, unwrap);
const signing = () => createSigningKeys(options, unwrap);

const remove = (kind: KeyKind) =>
  aws.dynamoDb.send(new DeleteItemCommand({ TableName: aws.tableName, Key: keyringKey(kind) }));
const read = async (kind: KeyKind) => {
  const { Item } = await aws.dynamoDb.send(
    new GetItemCommand({ TableName: aws.tableName, Key: keyringKey(kind), ConsistentRead: true }),
  );
  return Item?.['keys']?.L ?? [];
};
const put = (kind: KeyKind, keys: Awaited<ReturnType<typeof read>>) =>
  aws.dynamoDb.send(
    new PutItemCommand({ TableName: aws.tableName, Item: { ...keyringKey(kind), keys: { L: keys } } }),
  );
/** One key more of that kind. */
async function add(kind: KeyKind, activeFrom: number): Promise<string> {
  const before = await read(kind);
  await remove(kind);
  await ensureFirstKey(aws, kind, () => NOW);
  const [{ M: made } = assert.fail('no key')] = await read(kind);
  await put(kind, [...before, { M: { ...made, activeFrom: { N: String(activeFrom) } } }]);
  return made?.['id']?.S ?? assert.fail();
}

// Made once: an RSA key pair takes a while.
const first = await Promise.all(
  KINDS.map(async (kind) => {
    await ensureFirstKey(aws, kind, () => NOW - 1000);
    return { kind, keys: await read(kind) };
  }),
);
beforeEach(async () => {
  await Promise.all(first.map(({ kind, keys }) => put(kind, keys)));
});

test('two containers unwrap the same key, 256 bits of it', async () => {
  const [one, two] = [await keyring().current('data', NOW), await keyring().current('data', NOW)];
  assert.equal(one.id, two.id);
  assert.equal(one.key.symmetricKeySize, 32);
  assert.ok(one.key.equals(two.key));
});

test('after the first use there is no call to KMS or DynamoDB within the hold, and one of each after it', async () => {
  const ring = keyring();
  const use = (now: number) => async () => {
    const { id } = await ring.current('data', now);
    await ring.key('data', id, now);
  };
  assert.deepEqual(await aws.callsDuring(use(NOW)), { dynamoDb: ['GetItem'], kms: ['Decrypt'] });
  assert.deepEqual(await aws.callsDuring(use(NOW + HOLD - 1)), { dynamoDb: [], kms: [] });
  assert.deepEqual(await aws.callsDuring(use(NOW + HOLD)), { dynamoDb: ['GetItem'], kms: ['Decrypt'] });
});

test('uses at once unwrap once', async () => {
  const ring = keyring();
  const calls = await aws.callsDuring(() =>
    Promise.all(Array.from({ length: 20 }, () => ring.current('data', NOW))),
  );
  assert.deepEqual(calls, { dynamoDb: ['GetItem'], kms: ['Decrypt'] });
});

test('an unknown key id loads the keyring again at most once in 30 s', async () => {
  const ring = keyring();
  await ring.current('data', NOW);
  const loads = async (now: number) => {
    const calls = await aws.callsDuring(async () => {
      assert.equal(await ring.key('data', 'unknown', now), undefined);
    });
    return calls.dynamoDb.length;
  };
  assert.deepEqual(
    [
      await loads(NOW + 29),
      await loads(NOW + 30),
      await loads(NOW + 31),
      await loads(NOW + 59),
      await loads(NOW + 60),
    ],
    [0, 1, 0, 0, 1],
  );
});

test("a stranger's unknown key id costs no call to KMS within the hold", async () => {
  const keys = signing();
  await keys.current(NOW);
  const calls = await aws.callsDuring(async () => {
    assert.equal(await keys.find('unknown', NOW + 30), undefined);
    await keys.current(NOW + 30);
  });
  assert.deepEqual(calls.kms, []);
});

test('a key made since is found by its id before the hold ends', async () => {
  const ring = keyring();
  await ring.current('data', NOW);
  const id = await add('data', NOW + 10);
  assert.equal((await ring.key('data', id, NOW + 30))?.id, id);
});

test('a key is not used before its time, and is known before it', async () => {
  const [first] = await read('signing');
  const id = await add('signing', NOW + 100);
  const keys = signing();
  assert.equal((await keys.current(NOW + 99)).id, first?.M?.['id']?.S);
  assert.deepEqual((await keys.all(NOW + 99)).map((key) => key.id).includes(id), true);
  assert.ok(await keys.find(id, NOW + 99));
  assert.equal((await keys.current(NOW + 100)).id, id);
});

test('a withdrawn key dies within the hold', async () => {
  const keys = createPublicSigningKeys(options);
  const [{ id } = { id: '' }] = await keys.all(NOW);
  await add('signing', NOW);
  const [, kept] = await read('signing');
  assert.ok(kept);
  await put('signing', [kept]);
  assert.ok(await keys.find(id, NOW + HOLD - 1));
  assert.equal(await keys.find(id, NOW + HOLD), undefined);
});

test('a signing key signs what its public half verifies; the public half needs no KMS', async () => {
  const { id, privateKey } = await signing().current(NOW);
  const data = Buffer.from('signed');
  const signature = sign('sha256', data, privateKey);
  const calls = await aws.callsDuring(async () => {
    const publicKey = await createPublicSigningKeys(options).find(id, NOW);
    assert.ok(publicKey && verify('sha256', data, publicKey, signature));
  });
  assert.deepEqual(calls, { dynamoDb: ['GetItem'], kms: [] });
});

test('a key of one kind does not open as another: each has an encryption context of its own', async () => {
  const data = await read('data');
  await put('backup-code', data);
  await assert.rejects(keyring().current('backup-code', NOW), refusal('temporarily_unavailable'));
});

test('a key of another deployment, or under another id, does not open', async () => {
  const other = createUnwrap(aws.kms, { ...aws.environment, KEYRING_STACK: 'another' });
  await assert.rejects(
    createKeyring(options, other).current('data', NOW),
    refusal('temporarily_unavailable'),
  );
  const [key] = await read('data');
  await put('data', [{ M: { ...key?.M, id: { S: 'renamed' } } }]);
  await assert.rejects(keyring().current('data', NOW), refusal('temporarily_unavailable'));
});

test('a fault of KMS or DynamoDB refuses and is not held', async () => {
  const ring = keyring();
  aws.faults.push('error', 'error');
  await assert.rejects(ring.current('data', NOW), refusal('temporarily_unavailable'));
  // One call through to DynamoDB; then KMS fails.
  await ring.key('data', 'unknown', NOW);
  aws.faults.push('error', 'error');
  await assert.rejects(ring.current('data', NOW), refusal('temporarily_unavailable'));
  await ring.current('data', NOW);
});

test('a key that does not open is read again, at most once in 30 s: it may have been re-wrapped', async () => {
  const ring = keyring();
  const [wrapped] = await read('data');
  await put('data', [{ M: { ...wrapped?.M, wrapped: { B: Buffer.from('of another KMS key') } } }]);
  const attempt = (now: number) =>
    aws.callsDuring(() => assert.rejects(ring.current('data', now), refusal('temporarily_unavailable')));
  assert.deepEqual((await attempt(NOW)).dynamoDb, ['GetItem']);
  assert.deepEqual((await attempt(NOW + 29)).dynamoDb, []);
  assert.deepEqual((await attempt(NOW + 30)).dynamoDb, ['GetItem']);
  await put('data', [{ M: wrapped?.M ?? {} }]);
  assert.ok(await ring.current('data', NOW + 60));
  assert.deepEqual((await aws.callsDuring(() => ring.current('data', NOW + 60 + HOLD - 1))).dynamoDb, []);
});

test('without any key, or any whose time has come, nothing is sealed and nothing signed', async () => {
  await put('data', []);
  await remove('signing');
  await assert.rejects(keyring().current('data', NOW), refusal('temporarily_unavailable'));
  await assert.rejects(signing().current(NOW), refusal('temporarily_unavailable'));
  await assert.rejects(keyring().current('backup-code', NOW - 1061), refusal('temporarily_unavailable'));
});

test('the plain key is wiped once the key object has it, and is nowhere in the table', async () => {
  const plain: { given: Uint8Array; copy: Buffer }[] = [];
  const ring = createKeyring(options, async (kind, key) => {
    const given = await unwrap(kind, key);
    plain.push({ given, copy: Buffer.from(given) });
    return given;
  });
  const { key } = await ring.current('data', NOW);
  const [first] = plain;
  assert.ok(first && key.export().equals(first.copy));
  assert.ok(first.given.every((byte) => byte === 0));
  const [stored] = await read('data');
  assert.equal(Buffer.from(stored?.M?.['wrapped']?.B ?? []).includes(first.copy), false);
});

test('a stored key that cannot be read is a fault', async () => {
  await put('data', [{ M: { id: { S: 'k' } } }]);
  await assert.rejects(keyring().current('data', NOW), refusal('temporarily_unavailable'));
});
