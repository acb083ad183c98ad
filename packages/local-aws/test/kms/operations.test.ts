import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  DecryptCommand,
  EncryptCommand,
  GenerateDataKeyPairWithoutPlaintextCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  KMSClient,
  ReEncryptCommand,
} from '@aws-sdk/client-kms';
import type { Statement } from '../../src/iam/policy.ts';
import { type KmsServer, startKms } from '../../src/kms/server.ts';
import { ACCOUNT, allow, clientOf, createStage, REGION } from '../../testing/stage.ts';

const arn = (id: string) => `arn:aws:kms:${REGION}:${ACCOUNT}:key/${id}`;
const root = { AWS: `arn:aws:iam::${ACCOUNT}:root` };
const delegates: Statement = { Effect: 'Allow', Principal: root, Action: 'kms:*', Resource: '*' };
const keys = [
  { id: 'keyring', arn: arn('keyring'), policy: [delegates] },
  { id: 'other', arn: arn('other'), policy: [delegates] },
  { id: 'off', arn: arn('off'), policy: [delegates], enabled: false },
  {
    id: 'closed',
    arn: arn('closed'),
    policy: [
      {
        Effect: 'Allow' as const,
        Principal: { AWS: [`arn:aws:iam::${ACCOUNT}:role/owner`] },
        Action: ['kms:Encrypt'],
        Resource: '*',
      },
    ],
  },
];

const stage = createStage();
const admin = stage.principal('admin', [allow('kms:*', '*')]);
const context = { stack: 'countersign', purpose: 'seal' };
const plaintext = Buffer.from('a secret');
let server: KmsServer;
let client: KMSClient;

const start = () => startKms({ context: stage.context, folder: stage.folder, keys });
const clientFor = (principal = admin) => new KMSClient(clientOf(principal, server.endpoint));
const encrypt = async (KeyId = 'keyring') => {
  const { CiphertextBlob } = await client.send(
    new EncryptCommand({ KeyId, Plaintext: plaintext, EncryptionContext: context }),
  );
  return CiphertextBlob;
};

before(async () => {
  server = await start();
  client = clientFor();
});
after(async () => {
  client.destroy();
  await server.close();
  stage.remove();
});

test('what is encrypted opens under its own key and context, and under no other', async () => {
  const CiphertextBlob = await encrypt();
  const EncryptionContext = { purpose: 'seal', stack: 'countersign' };
  const opened = await client.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }));
  assert.deepEqual(Buffer.from(opened.Plaintext ?? []), plaintext);
  assert.equal(opened.KeyId, arn('keyring'));
  await client.send(new DecryptCommand({ CiphertextBlob, EncryptionContext, KeyId: arn('keyring') }));

  const invalid = { name: 'InvalidCiphertextException' };
  for (const wrong of [{}, { ...context, purpose: 'sign' }, { ...context, more: 'x' }]) {
    await assert.rejects(
      client.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: wrong })),
      invalid,
    );
  }
  const altered = Buffer.from(CiphertextBlob ?? []);
  altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1;
  await assert.rejects(
    client.send(new DecryptCommand({ CiphertextBlob: altered, EncryptionContext })),
    invalid,
  );
  await assert.rejects(
    client.send(new DecryptCommand({ CiphertextBlob: Buffer.from('no blob'), EncryptionContext })),
    invalid,
  );
  await assert.rejects(
    client.send(new DecryptCommand({ CiphertextBlob, EncryptionContext, KeyId: 'other' })),
    {
      name: 'IncorrectKeyException',
    },
  );
});

test('keys are found by id and ARN; an unknown one and a disabled one are refused by name', async () => {
  assert.ok(await encrypt(arn('keyring')));
  await assert.rejects(encrypt('nothing'), { name: 'NotFoundException' });
  await assert.rejects(encrypt(arn('nothing')), { name: 'NotFoundException' });
  await assert.rejects(encrypt('off'), { name: 'DisabledException' });
});

test('a data key comes sealed, and opens to as many bytes as were asked for', async () => {
  const input = { KeyId: 'keyring', EncryptionContext: context };
  for (const [size, bytes] of [
    [{ KeySpec: 'AES_256' }, 32],
    [{ NumberOfBytes: 64 }, 64],
  ] as const) {
    const sealed = await client.send(new GenerateDataKeyWithoutPlaintextCommand({ ...input, ...size }));
    assert.ok(!('Plaintext' in sealed));
    const { CiphertextBlob } = sealed;
    const opened = await client.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: context }));
    assert.equal(opened.Plaintext?.length, bytes);
  }
  for (const size of [{ KeySpec: 'AES_256', NumberOfBytes: 32 } as const, {}]) {
    await assert.rejects(client.send(new GenerateDataKeyWithoutPlaintextCommand({ ...input, ...size })), {
      name: 'ValidationException',
    });
  }
});

test('data key pairs sign, and their private halves open', async () => {
  const made = await client.send(
    new GenerateDataKeyPairWithoutPlaintextCommand({
      KeyId: 'keyring',
      KeyPairSpec: 'RSA_2048',
      EncryptionContext: context,
    }),
  );
  assert.ok(!('PrivateKeyPlaintext' in made));
  const { Plaintext } = await client.send(
    new DecryptCommand({ CiphertextBlob: made.PrivateKeyCiphertextBlob, EncryptionContext: context }),
  );
  const der = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []);
  const privateKey = createPrivateKey({ key: der(Plaintext), format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey({ key: der(made.PublicKey), format: 'der', type: 'spki' });
  assert.equal(publicKey.asymmetricKeyDetails?.modulusLength, 2048);
  assert.ok(verify('sha256', plaintext, publicKey, sign('sha256', plaintext, privateKey)));

  await assert.rejects(
    client.send(
      new GenerateDataKeyPairWithoutPlaintextCommand({ KeyId: 'keyring', KeyPairSpec: 'ECC_NIST_P256' }),
    ),
    { name: 'UnsupportedOperationException' },
  );
});

test('a blob is re-encrypted under another key and context', async () => {
  const moved = await client.send(
    new ReEncryptCommand({
      CiphertextBlob: await encrypt(),
      SourceEncryptionContext: context,
      DestinationKeyId: 'other',
      DestinationEncryptionContext: { purpose: 'sign' },
    }),
  );
  assert.equal(moved.SourceKeyId, arn('keyring'));
  const opened = await client.send(
    new DecryptCommand({ CiphertextBlob: moved.CiphertextBlob, EncryptionContext: { purpose: 'sign' } }),
  );
  assert.deepEqual(Buffer.from(opened.Plaintext ?? []), plaintext);
  assert.equal(opened.KeyId, arn('other'));
});

test('a policy bound to an encryption context opens under that context only', async () => {
  const CiphertextBlob = await encrypt();
  const opener = (condition: Statement['Condition']) =>
    clientFor(stage.principal('opener', [allow('kms:Decrypt', arn('keyring'), condition)]));
  const open = (signer: KMSClient) =>
    signer.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: context }));

  await open(opener({ StringEquals: { 'kms:EncryptionContext:purpose': 'seal' } }));
  await assert.rejects(open(opener({ StringEquals: { 'kms:EncryptionContext:purpose': 'sign' } })), {
    name: 'AccessDeniedException',
    message: `User: arn:aws:sts::${ACCOUNT}:assumed-role/opener/opener is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext because no policy allows the kms:Decrypt action`,
  });
  await open(opener({ 'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['stack', 'purpose'] } }));
  await assert.rejects(
    open(opener({ 'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': 'stack' } })),
    {
      name: 'AccessDeniedException',
    },
  );
});

test('a grant through another service opens nothing to a direct call', async () => {
  const viaService = `dynamodb.${REGION}.amazonaws.com`;
  const condition = { StringEquals: { 'kms:ViaService': viaService } };
  const reader = stage.principal('reader', [allow('kms:Decrypt', arn('keyring'), condition)]);
  const direct = clientFor(reader);
  await assert.rejects(
    direct.send(new DecryptCommand({ CiphertextBlob: await encrypt(), EncryptionContext: context })),
    { name: 'AccessDeniedException' },
  );
  assert.equal(server.mayDecryptVia(reader, arn('keyring'), viaService), true);
  assert.equal(server.mayDecryptVia(reader, arn('keyring'), `s3.${REGION}.amazonaws.com`), false);
  assert.equal(server.mayDecryptVia(reader, arn('other'), viaService), false);
  assert.equal(server.mayDecryptVia(stage.principal('nobody', []), arn('keyring'), viaService), false);
  direct.destroy();
});

test('identity policies count only where the key policy hands over to the account', async () => {
  const send = (name: string, policies: Statement[]) =>
    clientFor(stage.principal(name, policies)).send(
      new EncryptCommand({ KeyId: 'closed', Plaintext: plaintext }),
    );
  await send('owner', []);
  const denied = { name: 'AccessDeniedException' };
  await assert.rejects(send('stranger', [allow('kms:*', '*')]), denied);
  await assert.rejects(send('owner', [{ Effect: 'Deny', Action: 'kms:Encrypt', Resource: '*' }]), denied);
});

test('a key-maker cannot open its keys, and makes only the pairs that its policy names', async () => {
  const actions = ['kms:GenerateDataKeyWithoutPlaintext', 'kms:GenerateDataKeyPairWithoutPlaintext'];
  const makerOf = (spec: string) =>
    clientFor(
      stage.principal(`maker-${spec}`, [
        allow(actions, arn('keyring'), { StringEqualsIfExists: { 'kms:DataKeyPairSpec': spec } }),
      ]),
    );
  const [maker, other] = [makerOf('RSA_2048'), makerOf('RSA_3072')];
  const denied = { name: 'AccessDeniedException' };
  const KeyId = 'keyring';
  const made = await maker.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId, KeySpec: 'AES_256' }));
  await assert.rejects(maker.send(new DecryptCommand({ CiphertextBlob: made.CiphertextBlob })), denied);
  const pair = () => new GenerateDataKeyPairWithoutPlaintextCommand({ KeyId, KeyPairSpec: 'RSA_2048' });
  await maker.send(pair());
  await assert.rejects(other.send(pair()), denied);
  maker.destroy();
  other.destroy();
});

test('a dry run and plaintext beyond 4096 bytes are refused by name', async () => {
  const Plaintext = Buffer.alloc(4097);
  await assert.rejects(client.send(new EncryptCommand({ KeyId: 'keyring', Plaintext })), {
    name: 'ValidationException',
  });
  await assert.rejects(
    client.send(new EncryptCommand({ KeyId: 'keyring', Plaintext: plaintext, DryRun: true })),
    {
      name: 'DryRunOperationException',
    },
  );
});

test('faults have the names KMS gives them', async () => {
  stage.faults.push('throttle');
  await assert.rejects(encrypt(), { name: 'ThrottlingException' });
  stage.faults.push('error');
  await assert.rejects(encrypt(), { name: 'KMSInternalException', $fault: 'server' });
});

test('the material survives reopening, in a file nobody else reads; a policy not understood stops the start', async () => {
  const CiphertextBlob = await encrypt();
  const file = join(stage.folder, 'keys.json');
  const before = readFileSync(file, 'utf8');
  await server.close();
  server = await start();
  client.destroy();
  client = clientFor();
  await client.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: context }));
  assert.equal(readFileSync(file, 'utf8'), before);
  assert.equal(statSync(file).mode & 0o777, 0o600);

  const policy: Statement[] = [{ ...delegates, Condition: { DateLessThan: { 'aws:CurrentTime': '2030' } } }];
  await assert.rejects(
    startKms({
      context: stage.context,
      folder: stage.folder,
      keys: [{ id: 'odd', arn: arn('odd'), policy }],
    }),
    { name: 'PolicyError' },
  );
});
