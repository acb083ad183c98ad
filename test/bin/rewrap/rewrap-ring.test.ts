import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { startKms } from '@countersign/local-aws/kms';
import { ACCOUNT, allow, createStage } from '@countersign/local-aws/testing/stage';
import * as v from 'valibot';
import { ensureFirstKey, rotateKey } from '../../../adapters/key-maker.ts';
import { keyringKey, readRing, writeRing } from '../../../adapters/key-store.ts';
import { createKeyring, createPublicSigningKeys, createSigningKeys } from '../../../adapters/keyring.ts';
import { createUnwrap } from '../../../adapters/unwrap.ts';
import { type RewrapOptions, regionOf, rewrapRing, type Wrapping } from '../../../bin/rewrap/rewrap-ring.ts';
import type { KeyKind } from '../../../core/key-kind.ts';
import { Settings } from '../../../core/settings.ts';
import { startAws } from '../../support/aws.ts';
import { refusal } from '../../support/refusal.ts';

const NOW = 1_800_000_000;
const KINDS: KeyKind[] = ['data', 'backup-code', 'signing'];
const aws = await startAws();
const { KEYRING_KEY_ARN: keyArn, KEYRING_STACK: stack } = aws.environment;

/** KMS of another region, with a key of its own. */
const elsewhere = createStage();
const FAR_ARN = `arn:aws:kms:eu-west-1:${ACCOUNT}:key/far`;
const far = await startKms({
  context: { ...elsewhere.context, region: 'eu-west-1' },
  folder: elsewhere.folder,
  keys: [
    {
      id: 'far',
      arn: FAR_ARN,
      policy: [
        {
          Effect: 'Allow',
          Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
          Action: 'kms:*',
          Resource: '*',
        },
      ],
    },
  ],
});
const administrator = elsewhere.principal('administrator', [allow('kms:*', '*')]);
const farKms = new KMSClient({ region: 'eu-west-1', endpoint: far.endpoint, credentials: administrator });
after(async () => {
  farKms.destroy();
  await far.close();
  elsewhere.remove();
});

const here: Wrapping = { kms: aws.kms, keyArn, stack };
const there: Wrapping = { kms: farKms, keyArn: FAR_ARN, stack };
const renamed: Wrapping = { ...here, stack: 'renamed' };
const rewrap = (kind: KeyKind, more: Partial<RewrapOptions>) =>
  rewrapRing(
    { dynamoDb: aws.dynamoDb, tableName: aws.tableName, from: here, to: there, dryRun: false, ...more },
    kind,
  );
const ring = (kind: KeyKind) => readRing(aws.dynamoDb, aws.tableName, kind);

/** What the keys are in plain, as a container has them that is told of this wrapping. */
async function opened({ kms, keyArn: KEYRING_KEY_ARN, stack: KEYRING_STACK }: Wrapping) {
  const options = { dynamoDb: aws.dynamoDb, tableName: aws.tableName };
  const unwrap = createUnwrap(kms, { KEYRING_KEY_ARN, KEYRING_STACK });
  const keyring = createKeyring(options, unwrap);
  const secrets = await Promise.all(
    (['data', 'backup-code'] as const).map(async (kind) =>
      Promise.all(
        (await ring(kind)).keys.map(async ({ id }) => (await keyring.key(kind, id, NOW))?.key.export()),
      ),
    ),
  );
  const signing = await createSigningKeys(options, unwrap).current(NOW);
  const published = await createPublicSigningKeys(options, unwrap).all(NOW);
  return [
    ...secrets.flat(),
    signing.privateKey.export({ type: 'pkcs8', format: 'der' }),
    ...published.map(({ publicKey }) => publicKey.export({ type: 'spki', format: 'der' })),
  ];
}

beforeEach(async () => {
  const settings = v.parse(Settings, { keyRotationDays: 1 });
  for (const kind of KINDS) {
    await aws.dynamoDb.send(new DeleteItemCommand({ TableName: aws.tableName, Key: keyringKey(kind) }));
    await ensureFirstKey(aws, kind, () => NOW - 86_400);
    await rotateKey(aws, kind, settings, () => NOW);
  }
});

const all = async (more: Partial<RewrapOptions>) => {
  const outcomes = [];
  for (const kind of KINDS) outcomes.push(...(await rewrap(kind, more)).map(({ outcome }) => outcome));
  return outcomes;
};
const SIX_ANEW = Array.from({ length: 6 }, () => 'wrapped anew');

for (const [name, to] of [
  ['into another region', there],
  ['for another stack', renamed],
] as const) {
  test(`the keyring goes ${name}: the same keys, opened there and no longer here`, async () => {
    const before = await opened(here);
    assert.deepEqual(await all({ to }), SIX_ANEW);
    assert.deepEqual(await opened(to), before);
    await assert.rejects(opened(here), refusal('temporarily_unavailable'));
    for (const kind of KINDS) assert.equal((await ring(kind)).keys.length, 2);
  });
}

test('within one region KMS re-encrypts; between two it gives the key and takes it', async () => {
  const within = await aws.callsDuring(() => rewrap('data', { to: renamed }));
  assert.deepEqual(within.kms, ['Decrypt', 'ReEncrypt', 'Decrypt', 'Decrypt', 'ReEncrypt', 'Decrypt']);
  const between = await aws.callsDuring(() => rewrap('signing', { to: there }));
  assert.deepEqual(
    between.kms,
    Array.from({ length: 4 }, () => 'Decrypt'),
    'both halves of both keys',
  );
});

test('said again it leaves everything, and writes nothing', async () => {
  await all({});
  const before = await ring('data');
  const calls = await aws.callsDuring(async () => assert.ok(!(await all({})).includes('wrapped anew')));
  assert.deepEqual(new Set(calls.dynamoDb), new Set(['GetItem']));
  assert.deepEqual(await ring('data'), before);
});

test('a ring that is half done is finished: keys made since under the old key are taken, the others left', async () => {
  const before = await opened(here);
  const { keys } = await ring('data');
  await rewrap('data', {});
  const done = await ring('data');
  const [one = assert.fail()] = keys;
  const [, two = assert.fail()] = done.keys;
  await writeRing(aws.dynamoDb, aws.tableName, 'data', done, [one, two]);
  const outcomes = (await rewrap('data', {})).map(({ outcome }) => outcome);
  assert.deepEqual(outcomes, ['wrapped anew', 'left']);
  await rewrap('backup-code', {});
  await rewrap('signing', {});
  assert.deepEqual(await opened(there), before);
});

test('a signing key of which one half is under the target already is finished', async () => {
  const before = await opened(here);
  const first = await ring('signing');
  await rewrap('signing', { to: renamed });
  const done = await ring('signing');
  const halfDone = first.keys.map((key, index) => ({
    ...key,
    wrapped: done.keys[index]?.wrapped ?? key.wrapped,
  }));
  await writeRing(aws.dynamoDb, aws.tableName, 'signing', done, halfDone);
  const outcomes = (await rewrap('signing', { to: renamed })).map(({ outcome }) => outcome);
  assert.deepEqual(outcomes, ['wrapped anew', 'wrapped anew']);
  for (const kind of ['data', 'backup-code'] as const) await rewrap(kind, { to: renamed });
  assert.deepEqual(await opened(renamed), before);
});

test('a rehearsal does all of it but the writing', async () => {
  const before = await Promise.all(KINDS.map(ring));
  const calls = await aws.callsDuring(async () =>
    assert.deepEqual(await all({ to: renamed, dryRun: true }), SIX_ANEW),
  );
  assert.equal(calls.kms.filter((operation) => operation === 'ReEncrypt').length, 8);
  assert.deepEqual(await Promise.all(KINDS.map(ring)), before);
});

test('what somebody has changed meanwhile is not written over', async () => {
  const kms = new KMSClient({
    region: 'eu-west-1',
    endpoint: far.endpoint,
    credentials: administrator,
  });
  let changed = false;
  kms.middlewareStack.add(
    (next) => async (sent) => {
      if (!changed) {
        changed = true;
        const read = await ring('data');
        await writeRing(aws.dynamoDb, aws.tableName, 'data', read, read.keys.slice(1));
      }
      return next(sent);
    },
    { step: 'initialize' },
  );
  await assert.rejects(rewrap('data', { to: { ...there, kms } }), /have changed meanwhile: say it again/);
  assert.equal((await ring('data')).keys.length, 1);
  kms.destroy();
});

test('where a key does not open, or may not be opened, nothing of its ring is written', async () => {
  const before = await ring('data');
  const [key = assert.fail()] = before.keys;
  await assert.rejects(rewrap('data', { from: { ...here, stack: 'of-others' }, to: renamed }), {
    message: `Key ${key.id} of kind data does not open under ${keyArn} for the stack of-others.`,
  });
  const blind = elsewhere.principal('blind', [allow(['kms:Encrypt', 'kms:ReEncryptTo'], '*')]);
  const kms = new KMSClient({ region: 'eu-west-1', endpoint: far.endpoint, credentials: blind });
  await assert.rejects(rewrap('data', { to: { ...there, kms } }), { name: 'AccessDeniedException' });
  kms.destroy();
  assert.deepEqual(await ring('data'), before);
});

test('what is no ARN of a key is said to be none', () => {
  assert.equal(regionOf('arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/mrk-1'), 'us-gov-west-1');
  for (const wrong of ['alias/x', 'arn:aws:kms:eu-west-1:111122223333:alias/x', '']) {
    assert.throws(() => regionOf(wrong), /is not the ARN of a KMS key/);
  }
});
