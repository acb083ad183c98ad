import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Operation, type Route, routes } from '../../functions/routes.ts';
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

/** The statements of an operation's role, which has one inline policy and nothing besides. */
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

function expected(operation: string, { record, family, keys = {}, firstFactor }: Route) {
  const secret = [...(keys.data ? ['data'] : []), ...(keys.backupCode ? ['backup-code'] : [])];
  const read = [...secret, ...(keys.signing ? ['signing'] : [])];
  const unwrapped = [...secret, ...(keys.signing === 'sign' ? ['signing'] : [])];
  return [
    log(api, operation),
    ...(record === 'read' ? [onItems('Record', 'dynamodb:GetItem', ['USER#*'])] : []),
    ...(record === 'write'
      ? [onItems('Record', ['dynamodb:GetItem', 'dynamodb:UpdateItem'], ['USER#*'])]
      : []),
    ...(family ? [onItems('Family', 'dynamodb:UpdateItem', ['FAMILY#*'])] : []),
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
const actionsOf = (statements: Statement[]) => statements.flatMap(({ Action }) => Action);
const everyRole = [
  ...operations.map(([operation]) => ({ operation: operation as string, template: api })),
  { operation: 'ensure-keys', template: data },
].map(({ operation, template }) => ({ operation, statements: statementsOf(template, operation) }));

describe('each operation may do what its route says and nothing else', () => {
  for (const [operation, route] of operations) {
    test(operation, () => assert.deepEqual(statementsOf(api, operation), expected(operation, route)));
  }
});

test('the key-maker puts keyring items and makes wrapped keys, and cannot read or unwrap any', () => {
  assert.deepEqual(statementsOf(data, 'ensure-keys'), [
    log(data, 'ensure-keys'),
    onItems('Keyring', 'dynamodb:PutItem', ['KEYRING#data', 'KEYRING#backup-code', 'KEYRING#signing']),
    throughDynamoDb,
    onKeyring('MakeKeys', 'kms:GenerateDataKeyWithoutPlaintext', ['data', 'backup-code']),
    onKeyring('MakeKeyPairs', 'kms:GenerateDataKeyPairWithoutPlaintext', ['signing']),
  ]);
});

test('none but the key-maker can generate keys, and it gets none in plain', () => {
  for (const { operation, statements } of everyRole) {
    const generating = actionsOf(statements).filter((action) => action.startsWith('kms:Generate'));
    if (operation !== 'ensure-keys') assert.deepEqual(generating, [], operation);
    for (const action of generating) assert.match(action, /WithoutPlaintext$/);
  }
});

test('an operation that only reads cannot write', () => {
  for (const [operation, route] of operations) {
    if (route.record === 'write' || route.family) continue;
    assert.ok(
      actionsOf(statementsOf(api, operation)).every(
        (action) => !/^dynamodb:/.test(action) || action === 'dynamodb:GetItem',
      ),
      operation,
    );
  }
});

test('no action and no resource has a wildcard, and nothing of another service is allowed', () => {
  for (const { operation, statements } of everyRole) {
    for (const { Effect, Action, Resource } of statements) {
      assert.equal(Effect, 'Allow');
      for (const text of [Action, Resource].flat()) assert.ok(!text.includes('*'), `${operation}: ${text}`);
      for (const action of [Action].flat())
        assert.match(action, /^(dynamodb|kms|logs|cognito-idp):[A-Za-z]+$/);
    }
  }
});

test('no other role in the stacks but those of the CDK itself', () => {
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
