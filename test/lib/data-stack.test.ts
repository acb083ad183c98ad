import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idOf, ofType, one, plain, synthesize, type Template } from './synthesize.ts';

const { assembly, data } = synthesize();
const disposable = synthesize({ removal: 'destroy' });

interface KeyPolicy {
  Statement: { Sid: string; Principal: unknown; Action: string[]; Condition?: unknown }[];
}
const keyPolicy = (name: string) =>
  plain(one(data, 'AWS::KMS::Key', name).Properties['KeyPolicy']) as KeyPolicy;

test('the table is on demand, encrypted under its own key, recoverable and protected, with a TTL', () => {
  const { Properties, DeletionPolicy } = one(data, 'AWS::DynamoDB::Table', 'Table');
  assert.equal(DeletionPolicy, 'Retain');
  assert.deepEqual(plain(Properties), {
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    BillingMode: 'PAY_PER_REQUEST',
    DeletionProtectionEnabled: true,
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    SSESpecification: {
      KMSMasterKeyId: `<${idOf(data, 'AWS::KMS::Key', 'TableKey')}.Arn>`,
      SSEEnabled: true,
      SSEType: 'KMS',
    },
    TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
  });
});

test('both keys rotate and outlive their stack', () => {
  const keys = ofType(data, 'AWS::KMS::Key');
  assert.equal(keys.length, 2);
  for (const [, { Properties, DeletionPolicy }] of keys) {
    assert.equal(Properties['EnableKeyRotation'], true);
    assert.equal(DeletionPolicy, 'RetainExceptOnCreate', 'but not a first deployment that failed');
  }
});

test('the key of the table is usable only through DynamoDB', () => {
  const use = keyPolicy('TableKey').Statement.filter(({ Sid }) => Sid !== 'Administration');
  assert.equal(use.length, 1);
  assert.deepEqual(use[0]?.Condition, {
    StringEquals: { 'kms:ViaService': 'dynamodb.<AWS::Region>.<AWS::URLSuffix>' },
  });
});

test('the key of the keyring unwraps, makes and re-wraps keys for this deployment only', () => {
  const use = keyPolicy('KeyringKey').Statement.filter(({ Sid }) => Sid !== 'Administration');
  assert.deepEqual(
    use.map(({ Sid, Action }) => [Sid, Action]),
    [
      [
        'Keyring',
        [
          'kms:Decrypt',
          'kms:Encrypt',
          'kms:GenerateDataKeyWithoutPlaintext',
          'kms:GenerateDataKeyPairWithoutPlaintext',
        ],
      ],
      ['Rewrap', ['kms:ReEncryptFrom', 'kms:ReEncryptTo']],
    ],
  );
  for (const { Condition } of use) {
    assert.deepEqual(Condition, {
      StringEquals: { 'kms:EncryptionContext:stack': 'CountersignData' },
    });
  }
});

test('administrators of a key can neither use it nor grant its use, and no other account is named', () => {
  const using =
    /^kms:(\*|Encrypt|Decrypt|ReEncrypt.*|Generate.*|Sign|Verify.*|DeriveSharedSecret|CreateGrant|Create\*)$/;
  for (const name of ['TableKey', 'KeyringKey']) {
    const { Statement } = keyPolicy(name);
    const actions = Statement.find(({ Sid }) => Sid === 'Administration')?.Action ?? [];
    assert.ok(actions.includes('kms:Put*'), 'a key nobody can administer is lost');
    for (const action of actions) assert.doesNotMatch(action, using);
    for (const { Principal } of Statement) {
      assert.deepEqual(Principal, { AWS: 'arn:<AWS::Partition>:iam::<AWS::AccountId>:root' });
    }
  }
});

test('the first keys are made at deployment, after the role, the table and the key', () => {
  const { Properties, DependsOn = [] } = one(data, 'Custom::Trigger', 'FirstKeys');
  // A later deployment with another ensure-keys runs it again: its version is in the trigger's properties.
  assert.equal(Properties['ExecuteOnHandlerChange'], true);
  const [version] = ofType(data, 'AWS::Lambda::Version');
  assert.equal(plain(Properties['HandlerArn']), `<${version?.[0]}>`);
  assert.equal(
    plain(version?.[1].Properties['FunctionName']),
    `<${idOf(data, 'AWS::Lambda::Function', 'EnsureKeysFunction')}>`,
  );
  for (const [type, name] of [
    ['AWS::IAM::Role', 'EnsureKeysRole'],
    ['AWS::DynamoDB::Table', 'Table'],
    ['AWS::KMS::Key', 'KeyringKey'],
  ] as const) {
    assert.ok(DependsOn.includes(idOf(data, type, name)), name);
  }
});

test('the key-maker gets its table, its key and its deployment', () => {
  const { Properties } = one(data, 'AWS::Lambda::Function', 'EnsureKeysFunction');
  const { Variables } = plain(Properties['Environment']) as { Variables: Record<string, string> };
  assert.deepEqual(Object.keys(Variables).sort(), [
    'KEYRING_KEY_ARN',
    'KEYRING_STACK',
    'SETTINGS',
    'TABLE_NAME',
  ]);
  assert.equal(Variables['KEYRING_STACK'], 'CountersignData');
});

test('every function has a log, and every log expires', () => {
  const { assembly: configured } = synthesize({ logRetentionDays: 30 });
  for (const { template } of configured.stacks as { template: Template }[]) {
    const logs = ofType(template, 'AWS::Logs::LogGroup');
    for (const [id, { Properties }] of logs) assert.equal(Properties['RetentionInDays'], 30, id);
    for (const [id, { Properties }] of ofType(template, 'AWS::Lambda::Function')) {
      const { LogGroup } = plain(Properties['LoggingConfig'] ?? {}) as { LogGroup?: string };
      assert.ok(
        logs.some(([log]) => LogGroup === `<${log}>`),
        id,
      );
    }
  }
});

test('with removal destroy, nothing is retained and nothing is protected', () => {
  for (const template of [disposable.data, disposable.identity]) {
    for (const [id, { DeletionPolicy }] of Object.entries(template.Resources)) {
      assert.doesNotMatch(DeletionPolicy ?? '', /Retain/, id);
    }
  }
  const { Properties } = one(disposable.data, 'AWS::DynamoDB::Table', 'Table');
  assert.equal(Properties['DeletionProtectionEnabled'], false);
  const guarded = (of: typeof assembly) =>
    of.stacks.filter(({ terminationProtection }) => terminationProtection).map(({ stackName }) => stackName);
  assert.deepEqual(guarded(assembly).sort(), ['CountersignData', 'CountersignIdentity']);
  assert.deepEqual(guarded(disposable.assembly), []);
});
