import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  AdminCreateUserCommand,
  AdminDisableUserCommand,
  AdminGetUserCommand,
  AdminInitiateAuthCommand,
  AdminResetUserPasswordCommand,
  AdminRespondToAuthChallengeCommand,
  AdminSetUserPasswordCommand,
  AdminUpdateUserAttributesCommand,
  type CognitoIdentityProviderClient,
  type ContextDataType,
  InitiateAuthCommand,
  RevokeTokenCommand,
  SignUpCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { all, everything, named, password, poolArn, poolId, run } from '../../testing/cognito.ts';

const signIn = (client: CognitoIdentityProviderClient, username: string, secret = password, app = 'app') =>
  client.send(
    new AdminInitiateAuthCommand({
      UserPoolId: poolId,
      ClientId: app,
      AuthFlow: 'ADMIN_USER_PASSWORD_AUTH',
      AuthParameters: { USERNAME: username, PASSWORD: secret },
    }),
  );

const incorrect = named('NotAuthorizedException', 'Incorrect username or password.');

test('an administrator signs a user in with the password, and the refresh token can be revoked', async (t) => {
  const { admin, addUser } = await run(t);
  await addUser('alice');
  const { AuthenticationResult: result } = await signIn(admin, 'alice');
  assert.equal(result?.TokenType, 'Bearer');
  assert.equal(result?.ExpiresIn, 3600);

  const refresh = () =>
    admin.send(
      new InitiateAuthCommand({
        ClientId: 'app',
        AuthFlow: 'REFRESH_TOKEN_AUTH',
        AuthParameters: { REFRESH_TOKEN: result?.RefreshToken ?? '' },
      }),
    );
  const refreshed = await refresh();
  assert.equal(refreshed.AuthenticationResult?.RefreshToken, undefined);
  assert.ok(refreshed.AuthenticationResult?.AccessToken);

  await admin.send(new RevokeTokenCommand({ ClientId: 'app', Token: result?.RefreshToken }));
  await assert.rejects(refresh(), named('NotAuthorizedException', 'Refresh Token has been revoked'));
});

test('where a password comes from is told whole or not at all', async (t) => {
  const { admin, addUser } = await run(t);
  await addUser('alice');
  const whole = { IpAddress: '192.0.2.7', ServerName: '', ServerPath: '/', HttpHeaders: [] };
  const signInFrom = (context: Partial<ContextDataType>) =>
    admin.send(
      new AdminInitiateAuthCommand({
        UserPoolId: poolId,
        ClientId: 'app',
        AuthFlow: 'ADMIN_USER_PASSWORD_AUTH',
        AuthParameters: { USERNAME: 'alice', PASSWORD: password },
        ContextData: context as ContextDataType,
      }),
    );
  const headers = [{ headerName: 'User-Agent', headerValue: 'Browser/1' }];
  for (const context of [whole, { ...whole, HttpHeaders: headers, EncodedData: 'data' }]) {
    assert.ok((await signInFrom(context)).AuthenticationResult);
  }
  for (const member of Object.keys(whole)) {
    const path = member.charAt(0).toLowerCase() + member.slice(1);
    await assert.rejects(
      signInFrom({ ...whole, [member]: undefined }),
      named('InvalidParameterException', new RegExp(`Value null at 'contextData.${path}'`)),
    );
  }
  await assert.rejects(
    signInFrom({ ...whole, ServerName: 'x'.repeat(131_073) }),
    named('InvalidParameterException', /131072/),
  );
});

test('IAM is asked before anything is told', async (t) => {
  const { addUser, clientFor } = await run(t);
  await addUser('alice');
  const reader = clientFor([{ Effect: 'Allow', Action: 'cognito-idp:AdminGetUser', Resource: poolArn }]);
  await reader.send(new AdminGetUserCommand({ UserPoolId: poolId, Username: 'alice' }));
  await assert.rejects(
    signIn(reader, 'alice'),
    named('AccessDeniedException', /cognito-idp:AdminInitiateAuth/),
  );
  const denied = clientFor([...everything, { Effect: 'Deny', Action: 'cognito-idp:Admin*', Resource: '*' }]);
  await assert.rejects(signIn(denied, 'nobody'), named('AccessDeniedException', /explicit deny/));
});

test('a wrong password and an unknown user are one answer where the client hides users, and two where not', async (t) => {
  const legacy = { ...all, PreventUserExistenceErrors: 'LEGACY' };
  const { admin, addUser } = await run(t, { clients: { app: all, open: legacy } });
  await addUser('alice');
  await assert.rejects(signIn(admin, 'alice', 'Wrong-horse-7'), incorrect);
  await assert.rejects(signIn(admin, 'nobody'), incorrect);
  await assert.rejects(signIn(admin, 'nobody', password, 'open'), named('UserNotFoundException'));
});

test('five wrong passwords lock for a second, each further one for twice as long, the right one included', async (t) => {
  const { admin, addUser, clock } = await run(t);
  await addUser('alice');
  clock.stop();
  const exceeded = named('NotAuthorizedException', 'Password attempts exceeded');
  for (let failure = 1; failure <= 5; failure += 1)
    await assert.rejects(signIn(admin, 'alice', 'x'), incorrect);
  await assert.rejects(signIn(admin, 'alice'), exceeded);
  clock.advance(1);
  await assert.rejects(signIn(admin, 'alice', 'x'), incorrect);
  await assert.rejects(signIn(admin, 'alice'), exceeded);
  clock.advance(2);
  assert.ok((await signIn(admin, 'alice')).AuthenticationResult);
});

test('what the client does not allow is refused, and the two spellings cannot be mixed', async (t) => {
  const clients = {
    app: all,
    custom: { ExplicitAuthFlows: ['ALLOW_CUSTOM_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'] },
    silent: {},
    old: { ExplicitAuthFlows: ['ADMIN_NO_SRP_AUTH'] },
  };
  const { admin, addUser } = await run(t, { clients });
  await addUser('alice');
  await assert.rejects(signIn(admin, 'alice', password, 'custom'), named('InvalidParameterException'));
  await assert.rejects(signIn(admin, 'alice', password, 'silent'), named('InvalidParameterException'));
  assert.ok((await signIn(admin, 'alice', password, 'old')).AuthenticationResult);
  const srp = (app: string) =>
    admin.send(
      new InitiateAuthCommand({
        ClientId: app,
        AuthFlow: 'USER_SRP_AUTH',
        AuthParameters: { USERNAME: 'alice', SRP_A: 'abcdef' },
      }),
    );
  assert.equal((await srp('silent')).ChallengeName, 'PASSWORD_VERIFIER');
  await assert.rejects(srp('custom'), named('InvalidParameterException'));
  await assert.rejects(
    admin.send(
      new InitiateAuthCommand({
        ClientId: 'app',
        AuthFlow: 'ADMIN_USER_PASSWORD_AUTH',
        AuthParameters: { USERNAME: 'alice', PASSWORD: password },
      }),
    ),
    named('InvalidParameterException'),
  );
  const mixed = { app: { ExplicitAuthFlows: ['ALLOW_CUSTOM_AUTH', 'USER_PASSWORD_AUTH'] } };
  await assert.rejects(run(t, { clients: mixed }), named('InvalidParameterException'));
});

test('a temporary password asks for a new one, and ends with its days', async (t) => {
  const { admin, clock } = await run(t);
  const create = (username: string) =>
    admin.send(
      new AdminCreateUserCommand({ UserPoolId: poolId, Username: username, TemporaryPassword: password }),
    );
  assert.equal((await create('alice')).User?.UserStatus, 'FORCE_CHANGE_PASSWORD');
  const challenge = await signIn(admin, 'alice');
  assert.equal(challenge.ChallengeName, 'NEW_PASSWORD_REQUIRED');
  const answer = (secret: string) =>
    admin.send(
      new AdminRespondToAuthChallengeCommand({
        UserPoolId: poolId,
        ClientId: 'app',
        ChallengeName: 'NEW_PASSWORD_REQUIRED',
        Session: challenge.Session,
        ChallengeResponses: { USERNAME: 'alice', NEW_PASSWORD: secret },
      }),
    );
  await assert.rejects(answer('short'), named('InvalidPasswordException'));
  assert.ok((await answer('Another-horse-8')).AuthenticationResult?.IdToken);
  await assert.rejects(answer('Another-horse-9'), named('NotAuthorizedException', /only be used once/));
  assert.ok((await signIn(admin, 'alice', 'Another-horse-8')).AuthenticationResult);

  await create('bob');
  clock.advance(8 * 86_400);
  // The SDK takes the server's time from its first refusal, and signs by it from then on.
  await assert.rejects(signIn(admin, 'bob'));
  await assert.rejects(
    signIn(admin, 'bob'),
    named('NotAuthorizedException', /Temporary password has expired/),
  );
});

test('users who may not sign in are told why', async (t) => {
  const { admin, addUser } = await run(t);
  await addUser('alice', { email: 'alice@example.com', email_verified: 'true' });
  await admin.send(new AdminDisableUserCommand({ UserPoolId: poolId, Username: 'alice' }));
  await assert.rejects(signIn(admin, 'alice'), named('NotAuthorizedException', 'User is disabled.'));

  await addUser('bob', { email: 'bob@example.com' });
  const reset = new AdminResetUserPasswordCommand({ UserPoolId: poolId, Username: 'bob' });
  await assert.rejects(admin.send(reset), named('InvalidParameterException'));
  await admin.send(
    new AdminUpdateUserAttributesCommand({
      UserPoolId: poolId,
      Username: 'bob',
      UserAttributes: [{ Name: 'email_verified', Value: 'true' }],
    }),
  );
  await admin.send(reset);
  await assert.rejects(signIn(admin, 'bob'), named('PasswordResetRequiredException'));

  await admin.send(new SignUpCommand({ ClientId: 'app', Username: 'carol', Password: password }));
  await assert.rejects(signIn(admin, 'carol', 'Wrong-horse-7'), incorrect);
  await assert.rejects(signIn(admin, 'carol'), named('UserNotConfirmedException'));
});

test('users survive a restart, and no password is in the files', async (t) => {
  const first = await run(t);
  const user = await first.addUser('alice');
  const second = await run(t, { folder: first.folder });
  assert.ok((await signIn(second.admin, 'alice')).AuthenticationResult);
  const found = await second.admin.send(new AdminGetUserCommand({ UserPoolId: poolId, Username: 'alice' }));
  assert.deepEqual(
    found.UserAttributes?.find(({ Name }) => Name === 'sub'),
    user?.Attributes?.find(({ Name }) => Name === 'sub'),
  );
  assert.doesNotMatch(readFileSync(join(first.folder, `${poolId}.json`), 'utf8'), new RegExp(password));
});

test('the password policy of the pool holds', async (t) => {
  const properties = { Policies: { PasswordPolicy: { MinimumLength: 12, RequireSymbols: false } } };
  const { admin, addUser } = await run(t, { properties });
  await addUser('alice');
  const set = (secret: string) =>
    admin.send(
      new AdminSetUserPasswordCommand({
        UserPoolId: poolId,
        Username: 'alice',
        Password: secret,
        Permanent: true,
      }),
    );
  await assert.rejects(set('Short1aaa'), named('InvalidPasswordException', /not long enough/));
  await assert.rejects(set('nouppercase1'), named('InvalidPasswordException', /uppercase/));
  await set('NoSymbolNeeded1');
});

test('where the e-mail address is the user name, the name itself is a UUID', async (t) => {
  const { admin, addUser } = await run(t, { properties: { UsernameAttributes: ['email'] } });
  const user = await addUser('alice@example.com');
  const sub = user?.Attributes?.find(({ Name }) => Name === 'sub')?.Value;
  assert.equal(user?.Username, sub);
  assert.ok((await signIn(admin, 'alice@example.com')).AuthenticationResult);
  await assert.rejects(addUser('alice@example.com'), named('UsernameExistsException'));
  await assert.rejects(addUser('alice'), named('InvalidParameterException', 'Username should be an email.'));
});

test('an e-mail alias counts once it is verified', async (t) => {
  const { admin, addUser } = await run(t, { properties: { AliasAttributes: ['email'] } });
  await addUser('alice', { email: 'alice@example.com', email_verified: 'true' });
  await addUser('bob', { email: 'bob@example.com' });
  assert.ok((await signIn(admin, 'alice@example.com')).AuthenticationResult);
  await assert.rejects(signIn(admin, 'bob@example.com'), incorrect);
  await assert.rejects(
    addUser('carol', { email: 'alice@example.com', email_verified: 'true' }),
    named('AliasExistsException'),
  );
});
