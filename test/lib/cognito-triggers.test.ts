import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { App, Stack } from 'aws-cdk-lib';
import { UserPool, UserPoolOperation } from 'aws-cdk-lib/aws-cognito';
import { type listeners, type Trigger, triggers } from '../../functions/routes.ts';
import { bundleFunctions } from '../../lib/bundle.ts';
import { CountersignTriggers } from '../../lib/cognito-triggers.ts';
import { readConfig } from '../../lib/config.ts';
import { DataStack } from '../../lib/data-stack.ts';
import { pascalCase } from '../../lib/pascal-case.ts';
import { contextWith, idOf, ofType, one, plain, synthesize, type Template } from './synthesize.ts';

const table = Object.entries(triggers) as [string, Trigger][];
const created = synthesize();
const existing = synthesize({ userPool: { id: 'eu-west-1_aBcDeFgHi' }, globalSignOut: true });
const pool = `<${idOf(created.identity, 'AWS::Cognito::UserPool', 'UserPool')}.Arn>`;
const existingPool =
  'arn:<AWS::Partition>:cognito-idp:<AWS::Region>:<AWS::AccountId>:userpool/eu-west-1_aBcDeFgHi';

const functionId = (template: Template, name: string) =>
  idOf(template, 'AWS::Lambda::Function', `${pascalCase(name)}Function`);
const functionArn = (template: Template, name: string) => `<${functionId(template, name)}.Arn>`;
const variablesOf = ({ data, identity }: typeof created, name: string) => {
  const { Properties } = one(identity, 'AWS::Lambda::Function', `${pascalCase(name)}Function`);
  return (plain(Properties['Environment'], [data]) as { Variables: Record<string, string> }).Variables;
};
const lambdaConfigOf = (template: Template, name = 'UserPool') =>
  plain(one(template, 'AWS::Cognito::UserPool', name).Properties['LambdaConfig']);
const permissionsOf = (template: Template, service: string) =>
  ofType(template, 'AWS::Lambda::Permission')
    .filter(([, { Properties }]) => Properties['Principal'] === service)
    .map(([, { Properties }]) => Properties);
const rulesOf = (template: Template) => ofType(template, 'AWS::Events::Rule');

test('a new pool calls all five triggers, with version 2 of the token event', () => {
  const arn = (name: string) => functionArn(created.identity, `cognito/${name}`);
  assert.deepEqual(lambdaConfigOf(created.identity), {
    DefineAuthChallenge: arn('define-auth-challenge'),
    CreateAuthChallenge: arn('create-auth-challenge'),
    VerifyAuthChallengeResponse: arn('verify-auth-challenge-response'),
    PreTokenGenerationConfig: { LambdaArn: arn('pre-token-generation'), LambdaVersion: 'V2_0' },
    PostConfirmation: arn('post-confirmation'),
  });
});

for (const [title, { identity }, SourceArn, poolId] of [
  ['a new pool', created, pool, `<${idOf(created.identity, 'AWS::Cognito::UserPool', 'UserPool')}>`],
  ['an existing pool', existing, existingPool, 'eu-west-1_aBcDeFgHi'],
] as const) {
  test(`only ${title} may invoke the triggers, by one permission each`, () => {
    assert.deepEqual(
      permissionsOf(identity, 'cognito-idp.amazonaws.com').map((permission) => plain(permission)),
      table.map(([name]) => ({
        Action: 'lambda:InvokeFunction',
        FunctionName: functionArn(identity, name),
        Principal: 'cognito-idp.amazonaws.com',
        SourceArn,
      })),
    );
  });

  test(`administrator actions on ${title}, and on no other pool, invoke the listener`, () => {
    const [[ruleId, { Properties }] = assert.fail('no rule'), ...others] = rulesOf(identity);
    assert.deepEqual(others, []);
    const FunctionName = functionArn(identity, 'cognito/admin-sign-out');
    const { EventPattern, Targets } = plain(Properties) as Record<string, unknown>;
    assert.deepEqual(EventPattern, {
      source: ['aws.cognito-idp'],
      'detail-type': ['AWS API Call via CloudTrail'],
      detail: {
        eventSource: ['cognito-idp.amazonaws.com'],
        eventName: [
          'AdminUserGlobalSignOut',
          'AdminDisableUser',
          'AdminDeleteUser',
          'AdminSetUserPassword',
          'AdminResetUserPassword',
        ],
        requestParameters: { userPoolId: [poolId] },
        errorCode: [{ exists: false }],
      },
    });
    assert.deepEqual(Targets, [{ Arn: FunctionName, Id: 'Target0' }]);
    assert.deepEqual(plain(permissionsOf(identity, 'events.amazonaws.com')), [
      {
        Action: 'lambda:InvokeFunction',
        FunctionName,
        Principal: 'events.amazonaws.com',
        SourceArn: `<${ruleId}.Arn>`,
      },
    ]);
  });
}

describe('each trigger ends before Cognito would call it again, and gets only the variables it reads', () => {
  for (const [name, { keys }] of table) {
    test(name, () => {
      const { Properties } = one(created.identity, 'AWS::Lambda::Function', `${pascalCase(name)}Function`);
      assert.equal(Properties['Timeout'], 4);
      assert.equal(Properties['Runtime'], 'nodejs24.x');
      assert.deepEqual(Properties['Architectures'], ['arm64']);
      const variables = variablesOf(created, name);
      assert.deepEqual(
        Object.keys(variables).sort(),
        keys ? ['KEYRING_KEY_ARN', 'KEYRING_STACK', 'SETTINGS', 'TABLE_NAME'] : ['SETTINGS', 'TABLE_NAME'],
      );
      if (keys) assert.equal(variables['KEYRING_STACK'], 'CountersignData');
    });
  }
});

/** Returns every action except for those on the log, with the values of its conditions. */
function mayDo({ data, identity }: typeof created, name: string): string[] {
  const { Properties } = one(identity, 'AWS::IAM::Role', `${pascalCase(name)}Role`);
  const { Policies } = plain(Properties, [data]) as {
    Policies: {
      PolicyDocument: {
        Statement: {
          Sid: string;
          Action: string | string[];
          Condition?: Record<string, Record<string, string | string[]>>;
        }[];
      };
    }[];
  };
  return Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
    .filter(({ Sid }) => Sid !== 'Log')
    .flatMap(({ Action, Condition = {} }) => {
      const { Null: _, ...narrowing } = Condition;
      const within = Object.values(narrowing).flatMap((keys) => Object.values(keys).flat());
      return [Action].flat().map((action) => `${action} ${within.join(' ')}`);
    });
}

const throughDynamoDb = 'kms:Decrypt dynamodb.<AWS::Region>.<AWS::URLSuffix>';
const [readRecord, writeRecord] = ['dynamodb:GetItem USER#*', 'dynamodb:UpdateItem USER#*'];
describe('each function has these permissions and no others', () => {
  const expected: Record<keyof typeof triggers | keyof typeof listeners, string[]> = {
    'cognito/define-auth-challenge': [readRecord, throughDynamoDb],
    'cognito/create-auth-challenge': [readRecord, throughDynamoDb],
    'cognito/verify-auth-challenge-response': [
      readRecord,
      writeRecord,
      'dynamodb:GetItem KEYRING#data KEYRING#backup-code',
      throughDynamoDb,
      'kms:Decrypt CountersignData data backup-code',
    ],
    'cognito/pre-token-generation': [readRecord, throughDynamoDb],
    'cognito/post-confirmation': [readRecord, writeRecord, throughDynamoDb],
    'cognito/admin-sign-out': [readRecord, writeRecord, throughDynamoDb],
  };
  for (const [name, actions] of Object.entries(expected)) {
    test(name, () => assert.deepEqual(mayDo(created, name), actions));
  }
});

test('PreTokenGeneration may write a record only if days count from the first sign-in', () => {
  const may = (enrollment: unknown) => mayDo(synthesize({ enrollment }), 'cognito/pre-token-generation');
  assert.deepEqual(may({ requiredAfter: '2027-01-31' }), [readRecord, throughDynamoDb]);
  assert.deepEqual(may({ requiredAfterDays: 14 }), [readRecord, writeRecord, throughDynamoDb]);
});

test('triggers and API get the settings of enrollment and of sign-outs', () => {
  const { api, data, identity } = synthesize({
    globalSignOut: true,
    enrollment: { requiredAfter: '2027-01-31' },
  });
  const settingsOf = (template: Template, name: string) => {
    const { Properties } = one(template, 'AWS::Lambda::Function', name);
    const { Variables } = plain(Properties['Environment'], [data, identity]) as {
      Variables: Record<string, string>;
    };
    return JSON.parse(Variables['SETTINGS'] ?? '');
  };
  for (const settings of [
    settingsOf(identity, 'CognitoPreTokenGenerationFunction'),
    settingsOf(api, 'ConfirmFunction'),
  ]) {
    assert.deepEqual(settings.enrollment, { requiredAfter: '2027-01-31' });
    assert.equal(settings.globalSignOut, true);
  }
  const asItComes = JSON.parse(variablesOf(created, 'cognito/pre-token-generation')['SETTINGS'] ?? '');
  assert.equal(asItComes.enrollment, 'optional');
  assert.equal(asItComes.globalSignOut, false);
});

test('for an existing pool, outputs name each function for its LambdaConfig', () => {
  const named = Object.entries(existing.identity.Outputs).filter(([name]) => name.startsWith('Trigger'));
  assert.deepEqual(
    named.map(([name, { Value }]) => [name, plain(Value)]),
    table.map(([name, { lambdaConfig }]) => [`Trigger${lambdaConfig}`, functionArn(existing.identity, name)]),
  );
  assert.deepEqual(
    Object.keys(created.identity.Outputs).filter((name) => name.startsWith('Trigger')),
    [],
  );
});

test('the permission to end sessions is for the existing pool only', () => {
  const [policy, ...others] = ofType(existing.identity, 'AWS::IAM::Policy');
  assert.deepEqual(others, []);
  const { PolicyDocument } = plain(policy?.[1].Properties) as {
    PolicyDocument: { Statement: { Action: string; Resource: string }[] };
  };
  assert.deepEqual(
    PolicyDocument.Statement.map(({ Action, Resource }) => [Action, Resource]),
    [['cognito-idp:AdminUserGlobalSignOut', existingPool]],
  );
});

/** Builds an app with a pool of its own in one stack and the triggers in another. */
function ownApp(withPool: (userPool: UserPool, triggers: CountersignTriggers) => void) {
  process.env['CDK_VALIDATION'] = 'false';
  const app = new App({ context: contextWith({}) });
  const bundles = bundleFunctions();
  const config = readConfig({ globalSignOut: true });
  const data = new DataStack(app, 'Data', { config, bundles });
  const { table: records, tableKey, keyringKey, keyringStack } = data;
  const attached = new CountersignTriggers(new Stack(app, 'Triggers'), 'Cognito', {
    bundles,
    table: records,
    tableKey,
    keyringKey,
    keyringStack,
    settings: config,
  });
  const userPool = new UserPool(new Stack(app, 'Users'), 'Pool');
  withPool(userPool, attached);
  return app;
}

test('the triggers attach to a pool in another stack, which then depends on the functions', () => {
  const assembly = ownApp((userPool, attached) => attached.attachTo(userPool)).synth();
  const users = assembly.getStackByName('Users');
  assert.deepEqual(
    users.dependencies.map(({ id }) => id).filter((id) => !id.endsWith('.assets')),
    ['Triggers'],
  );
  assert.equal(permissionsOf(users.template, 'cognito-idp.amazonaws.com').length, 5);
  assert.equal(permissionsOf(users.template, 'events.amazonaws.com').length, 1);
  assert.equal(rulesOf(users.template).length, 1);
  assert.equal(ofType(users.template, 'AWS::IAM::Policy').length, 1);
  const triggersTemplate: Template = assembly.getStackByName('Triggers').template;
  const { LambdaConfig } = plain(one(users.template, 'AWS::Cognito::UserPool', 'Pool').Properties, [
    triggersTemplate,
  ]) as { LambdaConfig: Record<string, unknown> };
  assert.equal(
    LambdaConfig['DefineAuthChallenge'],
    functionArn(triggersTemplate, 'cognito/define-auth-challenge'),
  );
});

test('one set of functions serves two pools, and may end the sessions of both', () => {
  const app = ownApp((userPool, attached) => {
    attached.attachTo(userPool);
    attached.attachTo(new UserPool(Stack.of(userPool), 'Second'));
  });
  const users: Template = app.synth().getStackByName('Users').template;
  assert.equal(ofType(users, 'AWS::Lambda::Permission').length, 12);
  assert.equal(rulesOf(users).length, 2);
  const names = ofType(users, 'AWS::IAM::Policy').map(([, { Properties }]) => Properties['PolicyName']);
  assert.equal(new Set(names).size, 2);
});

test('attaching never silently replaces a trigger that the pool already has', () => {
  assert.throws(
    () =>
      ownApp((userPool, attached) => {
        const other = attached.functions.get('PostConfirmation') ?? assert.fail();
        userPool.addTrigger(UserPoolOperation.DEFINE_AUTH_CHALLENGE, other);
        attached.attachTo(userPool);
      }),
    /defineAuthChallenge already exists/,
  );
});
