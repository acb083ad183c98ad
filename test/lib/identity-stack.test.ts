import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ofType, one, plain, synthesize } from './synthesize.ts';

const { identity } = synthesize();
const existing = synthesize({ userPool: { id: 'eu-west-1_aBcDeFgHi' } });

const client = (name: string, template = identity) =>
  one(template, 'AWS::Cognito::UserPoolClient', name).Properties;

test('the pool allows no sign-ups, requires strong passwords, recovers by mail and has no MFA of its own', () => {
  const { Properties, DeletionPolicy } = one(identity, 'AWS::Cognito::UserPool', 'UserPool');
  assert.equal(DeletionPolicy, 'Retain');
  assert.equal(Properties['DeletionProtection'], 'ACTIVE');
  assert.equal(Properties['MfaConfiguration'], 'OFF');
  assert.deepEqual(Properties['AdminCreateUserConfig'], { AllowAdminCreateUserOnly: true });
  assert.deepEqual(Properties['AccountRecoverySetting'], {
    RecoveryMechanisms: [{ Name: 'verified_email', Priority: 1 }],
  });
  assert.deepEqual(Properties['Policies'], {
    PasswordPolicy: {
      MinimumLength: 12,
      RequireLowercase: true,
      RequireNumbers: true,
      RequireSymbols: true,
      RequireUppercase: true,
      TemporaryPasswordValidityDays: 3,
    },
  });
});

test('the login client checks passwords over IAM only, and its tokens live as briefly as Cognito allows', () => {
  const login = client('LoginClient');
  assert.deepEqual(login['ExplicitAuthFlows'], ['ALLOW_ADMIN_USER_PASSWORD_AUTH']);
  assert.deepEqual(
    [login['AccessTokenValidity'], login['IdTokenValidity'], login['RefreshTokenValidity']],
    [5, 5, 60],
  );
});

test('the apps client allows only the custom flow', () => {
  assert.deepEqual(client('AppsClient')['ExplicitAuthFlows'], [
    'ALLOW_CUSTOM_AUTH',
    'ALLOW_REFRESH_TOKEN_AUTH',
  ]);
});

test('no client may write an attribute that recovery or sign-in uses', () => {
  const { Properties } = one(identity, 'AWS::Cognito::UserPool', 'UserPool');
  // "Required attributes in a user pool are always writable": a client that cannot write one is refused.
  assert.equal(Properties['Schema'], undefined);
  for (const template of [identity, existing.identity]) {
    for (const name of ['LoginClient', 'AppsClient']) {
      const writable = client(name, template)['WriteAttributes'] as string[];
      assert.ok(writable.includes('name'));
      for (const attribute of writable) assert.doesNotMatch(attribute, /^sub$|email|phone|username|^custom:/);
    }
  }
});

test('clients may also write the attributes that an existing pool requires, if they are configured', () => {
  const userPool = { id: 'eu-west-1_aBcDeFgHi', writableAttributes: ['email', 'custom:tier', 'name'] };
  const named = synthesize({ userPool }).identity;
  const more = client('AppsClient', named)['WriteAttributes'] as string[];
  const standard = client('AppsClient', existing.identity)['WriteAttributes'] as string[];
  assert.deepEqual(more, [...standard, 'email', 'custom:tier']);
});

test('no client reveals which users exist, allows OAuth, or issues tokens that cannot be revoked', () => {
  for (const template of [identity, existing.identity]) {
    const clients = ofType(template, 'AWS::Cognito::UserPoolClient');
    assert.equal(clients.length, 2);
    for (const [, { Properties }] of clients) {
      assert.equal(Properties['PreventUserExistenceErrors'], 'ENABLED');
      assert.equal(Properties['EnableTokenRevocation'], true);
      assert.equal(Properties['AllowedOAuthFlowsUserPoolClient'], false);
      assert.equal(Properties['AllowedOAuthFlows'], undefined);
    }
  }
});

test('an existing pool is not changed: it gets the same two clients', () => {
  assert.deepEqual(ofType(existing.identity, 'AWS::Cognito::UserPool'), []);
  for (const name of ['LoginClient', 'AppsClient']) {
    assert.deepEqual(
      { ...client(name, existing.identity), UserPoolId: undefined },
      { ...client(name), UserPoolId: undefined },
    );
    assert.equal(client(name, existing.identity)['UserPoolId'], 'eu-west-1_aBcDeFgHi');
  }
});

test('passwords are checked in the existing pool and no other', () => {
  const role = one(existing.api, 'AWS::IAM::Role', 'LoginRole').Properties;
  assert.ok(
    JSON.stringify(plain(role, [existing.data, existing.identity])).includes(
      'arn:<AWS::Partition>:cognito-idp:<AWS::Region>:<AWS::AccountId>:userpool/eu-west-1_aBcDeFgHi',
    ),
  );
});
