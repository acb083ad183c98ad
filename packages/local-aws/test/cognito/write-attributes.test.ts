import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AdminCreateUserCommand,
  AdminGetUserCommand,
  InitiateAuthCommand,
  RespondToAuthChallengeCommand,
  SignUpCommand,
  UpdateUserAttributesCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { all, named, password, poolId, run } from '../../testing/cognito.ts';

const unauthorized = named('NotAuthorizedException', 'A client attempted to write unauthorized attribute');
const withNames = { ...all, WriteAttributes: ['name', 'nickname'] };

type Cognito = Awaited<ReturnType<typeof run>>['admin'];

/** Changes an attribute with the access token that this client signs alice in for. */
async function changeBy(admin: Cognito, ClientId: string, Name: string, Value: string): Promise<void> {
  const AuthParameters = { USERNAME: 'alice', PASSWORD: password };
  const { AuthenticationResult } = await admin.send(
    new InitiateAuthCommand({ ClientId, AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters }),
  );
  const { AccessToken } = AuthenticationResult ?? {};
  await admin.send(new UpdateUserAttributesCommand({ AccessToken, UserAttributes: [{ Name, Value }] }));
}

test('a token changes what its client may write, and nothing else', async (t) => {
  const { admin, addUser } = await run(t, { clients: { app: withNames, other: all } });
  await addUser('alice', { email: 'alice@example.com', email_verified: 'true' });
  await changeBy(admin, 'app', 'nickname', 'Al');
  for (const [name, value] of [
    ['email', 'thief@example.com'],
    ['phone_number', '+15555550100'],
    ['given_name', 'Alice'],
    ['email_verified', 'true'],
  ] as const) {
    await assert.rejects(changeBy(admin, 'app', name, value), unauthorized);
  }
  const user = await admin.send(new AdminGetUserCommand({ UserPoolId: poolId, Username: 'alice' }));
  const attributes = Object.fromEntries((user.UserAttributes ?? []).map(({ Name, Value }) => [Name, Value]));
  assert.deepEqual(attributes, {
    sub: attributes['sub'],
    email: 'alice@example.com',
    email_verified: 'true',
    nickname: 'Al',
  });
});

test('a client without a list may write every standard attribute, and no custom one', async (t) => {
  const properties = { Schema: [{ Name: 'tier', AttributeDataType: 'String', Mutable: true }] };
  const clients = { app: all, tiers: { ...all, WriteAttributes: ['custom:tier'] } };
  const { admin, addUser } = await run(t, { properties, clients });
  await addUser('alice');
  await changeBy(admin, 'app', 'email', 'alice@example.com');
  await assert.rejects(changeBy(admin, 'app', 'custom:tier', 'gold'), unauthorized);
  await changeBy(admin, 'tiers', 'custom:tier', 'gold');
});

test('signing up and replacing a temporary password write no more than the client may', async (t) => {
  const { admin } = await run(t, { clients: { app: withNames } });
  const signUp = (Name: string, Value: string) =>
    admin.send(
      new SignUpCommand({
        ClientId: 'app',
        Username: 'bob',
        Password: password,
        UserAttributes: [{ Name, Value }],
      }),
    );
  await assert.rejects(signUp('email', 'bob@example.com'), unauthorized);
  await signUp('name', 'Bob');

  await admin.send(
    new AdminCreateUserCommand({ UserPoolId: poolId, Username: 'alice', TemporaryPassword: password }),
  );
  const AuthParameters = { USERNAME: 'alice', PASSWORD: password };
  const asked = await admin.send(
    new InitiateAuthCommand({ ClientId: 'app', AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters }),
  );
  const replace = (more: Record<string, string>) =>
    admin.send(
      new RespondToAuthChallengeCommand({
        ClientId: 'app',
        ChallengeName: 'NEW_PASSWORD_REQUIRED',
        Session: asked.Session,
        ChallengeResponses: { USERNAME: 'alice', NEW_PASSWORD: 'Another-horse-8', ...more },
      }),
    );
  await assert.rejects(replace({ 'userAttributes.email': 'thief@example.com' }), unauthorized);
  await assert.rejects(replace({ 'userAttributes.email_verified': 'true' }), unauthorized);
  assert.ok((await replace({ 'userAttributes.name': 'Alice' })).AuthenticationResult);
});

test('a client that cannot write what the pool requires, or could write what none may, is not created', async (t) => {
  const Schema = [{ Name: 'email', Required: true, Mutable: true }];
  const invalid = named(
    'InvalidParameterException',
    'Invalid write attributes specified while creating a client',
  );
  for (const WriteAttributes of [
    ['name'],
    ['email', 'email_verified'],
    ['email', 'sub'],
    ['email', 'custom:unknown'],
    ['email', 'of-no-schema'],
  ]) {
    const started = run(t, { properties: { Schema }, clients: { app: { ...all, WriteAttributes } } });
    await assert.rejects(started, invalid, WriteAttributes.join());
  }
  await run(t, { properties: { Schema }, clients: { app: { ...all, WriteAttributes: ['email', 'name'] } } });
});
