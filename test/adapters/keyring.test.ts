import assert from 'node:assert/strict';
import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { beforeEach, test } from 'node:test';
import {
  type AttributeValue,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { ensureFirstKey } from '../../adapters/key-maker.ts';
import { keyringKey } from '../../adapters/key-store.ts';
import { createKeyring, createPublicSigningKeys, createSigningKeys } from '../../adapters/keyring.ts';
import { createUnwrap } from '../../adapters/unwrap.ts';
import type { KeyKind } from '../../core/key-kind.ts';
import { KEYRING_TTL } from '../../core/key-rotation.ts';
import { OTHER_KEY_ARN, startAws } from '../support/aws.ts';
import { logged } from '../support/logged.ts';
import { refusal } from '../support/refusal.ts';
import { readsDuring } from '../support/strong-reads.ts';

const aws = await startAws();
const NOW = 1_800_000_000;
const KINDS: KeyKind[] = ['data', 'backup-code', 'signing'];
const options = { dynamoDb: aws.dynamoDb, tableName: aws.tableName };
const unwrap = createUnwrap(aws.kms, aws.environment);
/** What a container has that has just started. */
const keyring = () => createKeyring(options, unwrap);
const signing = () => createSigningKeys(options, unwrap);
/** The same of one that only verifies. */
const verifying = () => createPublicSigningKeys(options, unwrap);

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
async function add(
  kind: KeyKind,
  activeFrom: number,
  keyArn = aws.environment.KEYRING_KEY_ARN,
): Promise<string> {
  const before = await read(kind);
  await remove(kind);
  const environment = { ...aws.environment, KEYRING_KEY_ARN: keyArn };
  await ensureFirstKey({ ...aws, environment }, kind, () => NOW);
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

test('after the first use there is no call to KMS or DynamoDB within the ttl, and one of each after it', async () => {
  const ring = keyring();
  const use = (now: number) => async () => {
    const { id } = await ring.current('data', now);
    await ring.key('data', id, now);
  };
  assert.deepEqual(await aws.callsDuring(use(NOW)), { dynamoDb: ['GetItem'], kms: ['Decrypt'] });
  assert.deepEqual(await aws.callsDuring(use(NOW + KEYRING_TTL - 1)), { dynamoDb: [], kms: [] });
  assert.deepEqual(await aws.callsDuring(use(NOW + KEYRING_TTL)), {
    dynamoDb: ['GetItem'],
    kms: ['Decrypt'],
  });
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

test("a stranger's unknown key id costs no call to KMS within the ttl", async () => {
  const keys = signing();
  await keys.current(NOW);
  const calls = await aws.callsDuring(async () => {
    assert.equal(await keys.find('unknown', NOW + 30), undefined);
    await keys.current(NOW + 30);
  });
  assert.deepEqual(calls.kms, []);
});

test('a key made since is found by its id before the ttl ends', async () => {
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

test('a withdrawn key dies within the ttl', async () => {
  const keys = verifying();
  const [{ id } = { id: '' }] = await keys.all(NOW);
  await add('signing', NOW);
  const [, kept] = await read('signing');
  assert.ok(kept);
  await put('signing', [kept]);
  assert.ok(await keys.find(id, NOW + KEYRING_TTL - 1));
  assert.equal(await keys.find(id, NOW + KEYRING_TTL), undefined);
});

test('a signing key signs what its public half verifies, the stored one and the derived one', async () => {
  const signer = signing();
  const { id, privateKey } = await signer.current(NOW);
  const data = Buffer.from('signed');
  const signature = sign('sha256', data, privateKey);
  for (const keys of [signer, verifying()]) {
    const publicKey = await keys.find(id, NOW);
    assert.ok(publicKey && verify('sha256', data, publicKey, signature));
  }
});

test('who verifies unwraps each public half once, when it is first asked for, and holds it', async () => {
  const [{ M: first } = assert.fail()] = await read('signing');
  await add('signing', NOW - 100);
  const keys = verifying();
  const use = (now: number) => async () => assert.ok(await keys.find(first?.['id']?.S ?? '', now));
  assert.deepEqual(await aws.callsDuring(use(NOW)), { dynamoDb: ['GetItem'], kms: ['Decrypt'] });
  assert.deepEqual(await aws.callsDuring(use(NOW + KEYRING_TTL - 1)), { dynamoDb: [], kms: [] });
  assert.deepEqual((await aws.callsDuring(use(NOW + KEYRING_TTL))).kms, ['Decrypt']);
  const all = () => keys.all(NOW + KEYRING_TTL);
  assert.deepEqual((await aws.callsDuring(all)).kms, ['Decrypt'], 'the other one');
  assert.equal((await all()).length, 2);
});

test('a signer unwraps no public half', async () => {
  const asked: string[] = [];
  const keys = createSigningKeys(options, (purpose, ...rest) => {
    asked.push(purpose);
    return unwrap(purpose, ...rest);
  });
  const { id } = await keys.current(NOW);
  await keys.find(id, NOW);
  await keys.all(NOW);
  assert.deepEqual(asked, ['signing']);
});

/** What somebody makes of one key of the ring who can write the table and not use KMS, from it and another. */
const tampered: Record<string, (key: StoredItem, other: StoredItem) => StoredItem> = {
  'junk in both halves': (key) => ({ ...key, wrapped: JUNK, wrappedPublic: JUNK }),
  'the halves of another key': (key, other) => ({ ...other, ...part(key, 'id', 'activeFrom') }),
  'each half in the place of the other': (key) => ({
    ...key,
    ...(key['wrapped'] && { wrappedPublic: key['wrapped'] }),
    ...(key['wrappedPublic'] && { wrapped: key['wrappedPublic'] }),
  }),
  'halves of no byte': (key) => ({ ...key, wrapped: { B: EMPTY }, wrappedPublic: { B: EMPTY } }),
  'halves of more bytes than KMS takes': (key) => ({ ...key, wrapped: LONG, wrappedPublic: LONG }),
};
type StoredItem = Record<string, AttributeValue>;
const EMPTY = new Uint8Array();
const JUNK = { B: Buffer.from('junk') };
const LONG = { B: Buffer.alloc(7000, 1) };
const part = (item: StoredItem, ...names: string[]) =>
  Object.fromEntries(Object.entries(item).filter(([name]) => names.includes(name)));

for (const [what, forged] of Object.entries(tampered)) {
  test(`a signing key with ${what} is as unknown, the others go on, and it is logged and asked for once in 30 s`, async (t) => {
    await add('signing', NOW - 2000);
    const [genuine = assert.fail(), other = assert.fail()] = await read('signing');
    await put('signing', [genuine, { M: forged(other.M ?? {}, genuine.M ?? {}) }]);
    const ids = [genuine, other].map(({ M }) => M?.['id']?.S ?? '');
    for (const keys of [verifying(), signing()]) {
      const lines: string[] = [];
      const { mock } = t.mock.method(process.stdout, 'write', (line: string) => lines.push(line) > 0);
      const asked = async (now: number) => {
        const { kms } = await aws.callsDuring(async () => {
          assert.equal(await keys.find(ids[1] ?? '', now), undefined);
          assert.ok(await keys.find(ids[0] ?? '', now));
          assert.deepEqual(
            (await keys.all(now)).map(({ id }) => id),
            [ids[0]],
          );
        });
        return kms.length;
      };
      assert.deepEqual([await asked(NOW), await asked(NOW + 29), await asked(NOW + 30)], [2, 0, 1]);
      mock.restore();
      assert.equal(lines.length, 2);
      const { level, kind, keyId, cause } = JSON.parse(lines[0] ?? '');
      assert.deepEqual([level, kind, keyId], ['error', 'signing', ids[1]]);
      assert.match(cause.error, /^(InvalidCiphertext|Validation)Exception$/);
    }
  });
}

test('if no signing key opens, it is a fault', async () => {
  const [genuine = assert.fail()] = await read('signing');
  await put('signing', [{ M: { ...genuine.M, wrapped: JUNK, wrappedPublic: JUNK } }]);
  for (const keys of [verifying(), signing()]) {
    await assert.rejects(keys.find(genuine.M?.['id']?.S ?? '', NOW), refusal('temporarily_unavailable'));
    await assert.rejects(keys.all(NOW), refusal('temporarily_unavailable'));
    assert.equal(await keys.find('unknown', NOW), undefined);
  }
  await assert.rejects(signing().current(NOW), refusal('temporarily_unavailable'));
});

test('where KMS does not answer, or does not let us ask, a signing key is not taken for one tampered with', async () => {
  await add('signing', NOW - 2000);
  const [, { M: other } = assert.fail()] = await read('signing');
  const id = other?.['id']?.S ?? '';
  const denied = createUnwrap(aws.kmsAs(aws.principal('nobody', [])), aws.environment);
  const keys = createPublicSigningKeys(options, denied);
  await assert.rejects(keys.find(id, NOW), refusal('temporarily_unavailable'));
  await assert.rejects(keys.all(NOW), refusal('temporarily_unavailable'));
  const throttled = verifying();
  await throttled.find('unknown', NOW);
  aws.faults.push('throttle', 'throttle');
  await assert.rejects(throttled.find(id, NOW), refusal('temporarily_unavailable'));
  assert.ok(await throttled.find(id, NOW), 'and it is not held');
});

test('a signing key with its public half in plain, as an earlier version stored it, counts as absent', async () => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const planted = { B: publicKey.export({ format: 'der', type: 'spki' }) };
  const [genuine = assert.fail()] = await read('signing');
  const { wrappedPublic: _, ...rest } = genuine.M ?? {};
  const id = genuine.M?.['id']?.S ?? '';
  await put('signing', [{ M: { ...rest, publicKey: planted } }]);
  for (const keys of [verifying(), signing()]) assert.equal(await keys.find(id, NOW), undefined);
  await assert.rejects(signing().current(NOW), refusal('temporarily_unavailable'));
  await put('signing', [{ M: { ...genuine.M, publicKey: planted } }]);
  const found = await verifying().find(id, NOW);
  assert.ok(found && !found.equals(publicKey), 'beside the wrapped one it is not looked at');
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
  assert.deepEqual(
    (await aws.callsDuring(() => ring.current('data', NOW + 60 + KEYRING_TTL - 1))).dynamoDb,
    [],
  );
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
  const ring = createKeyring(options, async (...wrapped) => {
    const given = await unwrap(...wrapped);
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

test('the keyring is read as it is, not as it was: a withdrawn key does not come back', async () => {
  const reads = await readsDuring(aws.dynamoDb, () => keyring().current('data', NOW));
  assert.deepEqual(reads, [{ operation: 'GetItem', consistent: true }]);
});

test('a key that was wrapped again opens after the next read of the keyring, although it was refused just before', async () => {
  const ring = keyring();
  const [wrapped] = await read('data');
  await put('data', [{ M: { ...wrapped?.M, wrapped: JUNK } }]);
  await ring.key('data', 'unknown', NOW);
  await assert.rejects(ring.current('data', NOW + 20), refusal('temporarily_unavailable'));
  await put('data', [{ M: wrapped?.M ?? {} }]);
  assert.ok(await ring.current('data', NOW + 30));
});

test('a removed key leaves the cache: if it is restored, it is unwrapped again', async () => {
  const id = await add('data', NOW - 10);
  const [kept = assert.fail(), taken = assert.fail()] = await read('data');
  const ring = keyring();
  await ring.key('data', 'unknown', NOW);
  const use = (now: number) => aws.callsDuring(async () => assert.ok(await ring.key('data', id, now)));
  assert.deepEqual((await use(NOW + KEYRING_TTL - 1)).kms, ['Decrypt']);
  await put('data', [kept]);
  assert.equal(await ring.key('data', id, NOW + KEYRING_TTL), undefined);
  await put('data', [kept, taken]);
  assert.deepEqual((await use(NOW + KEYRING_TTL + 30)).kms, ['Decrypt']);
});

test('a key is unwrapped again when its own ttl has passed, although the keyring was loaded since', async () => {
  const ring = keyring();
  await ring.key('data', 'unknown', NOW);
  const calls = async (now: number) => (await aws.callsDuring(() => ring.current('data', now))).kms;
  assert.deepEqual(await calls(NOW + 100), ['Decrypt']);
  assert.deepEqual(await calls(NOW + KEYRING_TTL), []);
  assert.deepEqual(await calls(NOW + KEYRING_TTL + 100), ['Decrypt']);
});

test('the log holds the start of a long key id, which anybody who can write the table may have chosen', async () => {
  const [wrapped] = await read('data');
  await put('data', [{ M: { ...wrapped?.M, id: { S: 'x'.repeat(1000) }, wrapped: JUNK } }]);
  const { log } = await logged(() =>
    assert.rejects(keyring().current('data', NOW), refusal('temporarily_unavailable')),
  );
  assert.equal(JSON.parse(log).keyId, 'x'.repeat(64));
});

test('a signing key that another KMS key wrapped is left out, and the others still open', async () => {
  const foreign = await add('signing', NOW - 2000, OTHER_KEY_ARN);
  const [own] = await read('signing');
  for (const keys of [verifying(), signing()]) {
    const { done } = await logged(async () => [
      await keys.find(foreign, NOW),
      (await keys.find(own?.M?.['id']?.S ?? '', NOW)) !== undefined,
    ]);
    assert.deepEqual(done, [undefined, true]);
  }
});
