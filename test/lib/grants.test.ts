import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  jobs,
  listeners,
  type Operation,
  type Route,
  routes,
  type Trigger,
  triggers,
} from '../../functions/routes.ts';
import { pascalCase } from '../../lib/pascal-case.ts';
import { idOf, ofType, one, plain, synthesize, type Template } from './synthesize.ts';

interface Statement {
  Sid: string;
  Effect: string;
  Action: string | string[];
  Resource: string | string[];
  Condition?: Record<string, Record<string, unknown>>;
}

const { data, identity, api } = synthesize();
const exporters = [data, identity];
const signingOut = synthesize({ globalSignOut: true });

/** Returns the statements of an operation's role, which has one inline policy and nothing else. */
function statementsOf(template: Template, operation: string): Statement[] {
  const { Properties } = one(template, 'AWS::IAM::Role', `${pascalCase(operation)}Role`);
  assert.deepEqual(Object.keys(Properties).sort(), ['AssumeRolePolicyDocument', 'Description', 'Policies']);
  const { Policies } = plain(Properties, exporters) as {
    Policies: { PolicyDocument: { Statement: Statement[] } }[];
  };
  assert.equal(Policies.length, 1);
  return Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
}

const table = `<${idOf(data, 'AWS::DynamoDB::Table', 'Table')}.Arn>`;
const tableKey = `<${idOf(data, 'AWS::KMS::Key', 'TableKey')}.Arn>`;
const keyringKey = `<${idOf(data, 'AWS::KMS::Key', 'KeyringKey')}.Arn>`;
const userPool = `<${idOf(identity, 'AWS::Cognito::UserPool', 'UserPool')}.Arn>`;

const log = (template: Template, operation: string) => ({
  Sid: 'Log',
  Effect: 'Allow',
  Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
  Resource: `<${idOf(template, 'AWS::Logs::LogGroup', `${pascalCase(operation)}Log`)}.Arn>`,
});
const onItems = (Sid: string, Action: string | string[], keys: string[]) => ({
  Sid,
  Effect: 'Allow',
  Action,
  Resource: table,
  Condition: {
    'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': keys },
    Null: { 'dynamodb:LeadingKeys': 'false' },
  },
});
const throughDynamoDb = {
  Sid: 'TableKey',
  Effect: 'Allow',
  Action: 'kms:Decrypt',
  Resource: tableKey,
  Condition: { StringEquals: { 'kms:ViaService': 'dynamodb.<AWS::Region>.<AWS::URLSuffix>' } },
};
const onKeyring = (Sid: string, Action: string, purposes: string[]) => ({
  Sid,
  Effect: 'Allow',
  Action,
  Resource: keyringKey,
  Condition: {
    StringEquals: {
      'kms:EncryptionContext:stack': 'CountersignData',
      'kms:EncryptionContext:purpose': purposes,
    },
  },
});

function expected(
  template: Template,
  operation: string,
  { record, family, keys = {}, firstFactor }: Partial<Route>,
) {
  const secret = [...(keys.data ? ['data'] : []), ...(keys.backupCode ? ['backup-code'] : [])];
  const read = [...secret, ...(keys.signing ? ['signing'] : [])];
  const signing = { sign: ['signing'], verify: ['signing-public'] };
  const unwrapped = [...secret, ...(keys.signing ? signing[keys.signing] : [])];
  return [
    log(template, operation),
    ...(record === 'read' ? [onItems('Record', 'dynamodb:GetItem', ['USER#*'])] : []),
    ...(record === 'write'
      ? [onItems('Record', ['dynamodb:GetItem', 'dynamodb:UpdateItem'], ['USER#*'])]
      : []),
    ...(family === 'read' ? [onItems('Family', 'dynamodb:GetItem', ['FAMILY#*'])] : []),
    ...(family === 'write' ? [onItems('Family', 'dynamodb:UpdateItem', ['FAMILY#*'])] : []),
    ...(read.length > 0
      ? [
          onItems(
            'Keyring',
            'dynamodb:GetItem',
            read.map((kind) => `KEYRING#${kind}`),
          ),
        ]
      : []),
    ...(record || family || read.length > 0 ? [throughDynamoDb] : []),
    ...(unwrapped.length > 0 ? [onKeyring('Unwrap', 'kms:Decrypt', unwrapped)] : []),
    ...(firstFactor
      ? [
          {
            Sid: 'FirstFactor',
            Effect: 'Allow',
            Action: 'cognito-idp:AdminInitiateAuth',
            Resource: userPool,
          },
        ]
      : []),
  ];
}

const operations = Object.entries(routes) as [Operation, Route][];
/** The triggers and listeners of a pool. */
const triggerTable = Object.entries<Pick<Trigger, 'record' | 'keys'>>({ ...triggers, ...listeners });
const actionsOf = (statements: Statement[]) => statements.flatMap(({ Action }) => Action);
const everyRole = [
  ...operations.map(([operation]) => ({ operation: operation as string, template: api })),
  ...triggerTable.map(([operation]) => ({ operation, template: identity })),
  ...Object.keys(jobs).map((operation) => ({ operation, template: data })),
].map(({ operation, template }) => ({ operation, statements: statementsOf(template, operation) }));

describe('each operation may do only what its route says', () => {
  for (const [operation, route] of operations) {
    test(operation, () => assert.deepEqual(statementsOf(api, operation), expected(api, operation, route)));
  }
  for (const [operation, trigger] of triggerTable) {
    test(operation, () =>
      assert.deepEqual(statementsOf(identity, operation), expected(identity, operation, trigger)),
    );
  }
});

describe('with globalSignOut, only what changes a second factor may end sessions, and only at the one pool', () => {
  const signOut = {
    Sid: 'SignOut',
    Effect: 'Allow',
    Action: 'cognito-idp:AdminUserGlobalSignOut',
    Resource: userPool,
  };
  for (const [operation, route] of operations) {
    test(operation, () =>
      assert.deepEqual(statementsOf(signingOut.api, operation), [
        ...expected(signingOut.api, operation, route),
        ...(route.signsOut ? [signOut] : []),
      ]),
    );
  }

  test('the triggers: by a separate policy, attached to one role only', () => {
    const policies = ofType(signingOut.identity, 'AWS::IAM::Policy').map(([, { Properties }]) => {
      const { PolicyName: _, ...policy } = plain(Properties) as Record<string, unknown>;
      return policy;
    });
    assert.deepEqual(policies, [
      {
        PolicyDocument: { Version: '2012-10-17', Statement: [signOut] },
        Roles: [`<${idOf(signingOut.identity, 'AWS::IAM::Role', 'CognitoPostConfirmationRole')}>`],
      },
    ]);
    for (const [operation, trigger] of triggerTable) {
      assert.deepEqual(
        statementsOf(signingOut.identity, operation),
        expected(signingOut.identity, operation, trigger),
      );
    }
  });
});

const keyMakers = ['ensure-keys', 'rotate-keys'];
for (const operation of keyMakers) {
  test(`${operation} writes keyring items, makes wrapped keys, wraps public halves, and cannot unwrap any`, () => {
    assert.deepEqual(statementsOf(data, operation), [
      log(data, operation),
      onItems(
        'Keyring',
        ['dynamodb:GetItem', 'dynamodb:PutItem'],
        ['KEYRING#data', 'KEYRING#backup-code', 'KEYRING#signing'],
      ),
      throughDynamoDb,
      onKeyring('MakeKeys', 'kms:GenerateDataKeyWithoutPlaintext', ['data', 'backup-code']),
      onKeyring('MakeKeyPairs', 'kms:GenerateDataKeyPairWithoutPlaintext', ['signing']),
      onKeyring('CertifyPublicHalves', 'kms:Encrypt', ['signing-public']),
    ]);
  });
}

test('reseal scans, re-encrypts secrets and unwraps data keys; it deletes, makes and signs nothing', () => {
  assert.deepEqual(statementsOf(data, 'reseal'), [
    log(data, 'reseal'),
    { Sid: 'Scan', Effect: 'Allow', Action: 'dynamodb:Scan', Resource: table },
    onItems('Record', 'dynamodb:UpdateItem', ['USER#*', 'JOB#reseal']),
    onItems('Keyring', ['dynamodb:GetItem', 'dynamodb:PutItem'], ['KEYRING#data', 'KEYRING#backup-code']),
    throughDynamoDb,
    onKeyring('Unwrap', 'kms:Decrypt', ['data']),
  ]);
});

test('only the key-makers can generate keys, and they never see the plaintext', () => {
  for (const { operation, statements } of everyRole) {
    const generating = actionsOf(statements).filter((action) => action.startsWith('kms:Generate'));
    if (!keyMakers.includes(operation)) assert.deepEqual(generating, [], operation);
    for (const action of generating) assert.match(action, /WithoutPlaintext$/);
  }
});

/** Returns the actions of a role on the keyring's KMS key, with the purposes in their encryption context. */
const inKms = (statements: Statement[]) =>
  statements
    .filter(({ Resource }) => Resource === keyringKey)
    .map(({ Action, Condition }) => ({
      action: Action,
      purposes: [Condition?.['StringEquals']?.['kms:EncryptionContext:purpose'] ?? 'any'].flat(),
    }));

test('an operation that only verifies tokens unwraps no private half, and one that signs unwraps no public one', () => {
  for (const [operation, { keys = {} }] of operations) {
    const unwraps = inKms(statementsOf(api, operation)).flatMap(({ purposes }) => purposes);
    assert.equal(unwraps.includes('signing'), keys.signing === 'sign', operation);
    assert.equal(unwraps.includes('signing-public'), keys.signing === 'verify', operation);
  }
});

test('only the key-makers encrypt, and only public halves; they decrypt nothing of the keyring', () => {
  for (const { operation, statements } of everyRole) {
    const encrypting = inKms(statements).filter(({ action }) => /Encrypt/.test([action].flat().join()));
    const maker = keyMakers.includes(operation);
    assert.deepEqual(
      encrypting,
      maker ? [{ action: 'kms:Encrypt', purposes: ['signing-public'] }] : [],
      operation,
    );
    const decrypting = inKms(statements).filter(({ action }) => action === 'kms:Decrypt');
    if (maker) assert.deepEqual(decrypting, [], operation);
    for (const { action } of inKms(statements)) assert.doesNotMatch([action].flat().join(), /ReEncrypt/);
  }
});

test('only the sweep can scan the table', () => {
  for (const { operation, statements } of everyRole) {
    assert.equal(actionsOf(statements).includes('dynamodb:Scan'), operation === 'reseal', operation);
  }
});

test('an operation that only reads cannot write', () => {
  const readers = [
    ...operations.map(([operation, route]) => ({ operation: operation as string, route, template: api })),
    ...triggerTable.map(([operation, route]) => ({ operation, route, template: identity })),
  ].filter(({ route }) => route.record !== 'write' && !('family' in route && route.family === 'write'));
  for (const { operation, template } of readers) {
    assert.ok(
      actionsOf(statementsOf(template, operation)).every(
        (action) => !/^dynamodb:/.test(action) || action === 'dynamodb:GetItem',
      ),
      operation,
    );
  }
});

test('no action and no resource has a wildcard, and no other service is allowed', () => {
  for (const { operation, statements } of everyRole) {
    for (const { Effect, Action, Resource } of statements) {
      assert.equal(Effect, 'Allow');
      for (const text of [Action, Resource].flat()) assert.ok(!text.includes('*'), `${operation}: ${text}`);
      for (const action of [Action].flat())
        assert.match(action, /^(dynamodb|kms|logs|cognito-idp):[A-Za-z]+$/);
    }
  }
});

test('the stacks have no other roles, except for those of the CDK itself', () => {
  const own = everyRole.map(({ operation }) => `${pascalCase(operation)}Role`);
  const others = [data, identity, api]
    .flatMap((template) => ofType(template, 'AWS::IAM::Role').map(([id]) => id.replace(/[0-9A-F]{8}$/, '')))
    .filter((id) => !own.includes(id));
  assert.deepEqual(others.sort(), [
    'AWSCDKTriggerCustomResourceProviderCustomResourceProviderRole',
    'ApiCloudWatchRole',
  ]);
  for (const template of [data, identity, api]) {
    assert.deepEqual(ofType(template, 'AWS::IAM::Policy'), []);
    assert.deepEqual(ofType(template, 'AWS::IAM::ManagedPolicy'), []);
  }
});
