import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  AdminGetUserCommand,
  ConfirmForgotPasswordCommand,
  DescribeUserPoolClientCommand,
  DescribeUserPoolCommand,
  ForgotPasswordCommand,
  GetUserPoolMfaConfigCommand,
  InitiateAuthCommand,
  ListIdentityProvidersCommand,
  ListUserPoolClientsCommand,
  SignUpCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { all, named, password, poolId, run } from '../../testing/cognito.ts';

interface Codes {
  users: { username: string; codes: { confirm?: { code: string }; reset?: { code: string } } }[];
}

/** The codes that nobody mailed, as the pool's file keeps them. */
function codesOf(folder: string, username: string) {
  const { users } = JSON.parse(readFileSync(join(folder, `${poolId}.json`), 'utf8')) as Codes;
  return users.find((user) => user.username === username)?.codes ?? {};
}

const mailed = { AutoVerifiedAttributes: ['email'] };

test('a sign-up is unconfirmed unless the pre-sign-up trigger confirms it', async (t) => {
  const { admin, events } = await run(t, {
    properties: mailed,
    triggers: {
      PreSignUp(event) {
        event.response['autoConfirmUser'] = event.userName === 'bob';
        return event;
      },
      PostConfirmation: (event) => event,
    },
  });
  const signUp = (Username: string) =>
    admin.send(
      new SignUpCommand({
        ClientId: 'app',
        Username,
        Password: password,
        UserAttributes: [{ Name: 'email', Value: `${Username}@example.com` }],
      }),
    );
  const statusOf = async (Username: string) =>
    (await admin.send(new AdminGetUserCommand({ UserPoolId: poolId, Username }))).UserStatus;
  const alice = await signUp('alice');
  assert.equal(alice.UserConfirmed, false);
  assert.equal(alice.CodeDeliveryDetails?.Destination, 'a***@e***');
  assert.equal(await statusOf('alice'), 'UNCONFIRMED');
  assert.equal((await signUp('bob')).UserConfirmed, true);
  assert.equal(await statusOf('bob'), 'CONFIRMED');
  assert.deepEqual(
    events.map((event) => event.triggerSource),
    ['PreSignUp_SignUp', 'PreSignUp_SignUp', 'PostConfirmation_ConfirmSignUp'],
  );
  await assert.rejects(signUp('alice'), named('UsernameExistsException'));
});

test('a pool of administrators only takes no sign-up', async (t) => {
  const { admin } = await run(t, {
    properties: { AdminCreateUserConfig: { AllowAdminCreateUserOnly: true } },
  });
  await assert.rejects(
    admin.send(new SignUpCommand({ ClientId: 'app', Username: 'bob', Password: password })),
    named('NotAuthorizedException', 'SignUp is not permitted for this user pool'),
  );
});

test('a client cannot call its own address verified', async (t) => {
  const { admin } = await run(t);
  await assert.rejects(
    admin.send(
      new SignUpCommand({
        ClientId: 'app',
        Username: 'alice',
        Password: password,
        UserAttributes: [
          { Name: 'email', Value: 'bob@example.com' },
          { Name: 'email_verified', Value: 'true' },
        ],
      }),
    ),
    named('NotAuthorizedException'),
  );
});

test('a forgotten password is reset by the code, and who does not exist is given the same steps', async (t) => {
  const { admin, folder, addUser, events, clock } = await run(t, {
    triggers: { PostConfirmation: (event) => event },
  });
  await addUser('alice', { email: 'alice@example.com', email_verified: 'true' });
  const forgot = (Username: string) => admin.send(new ForgotPasswordCommand({ ClientId: 'app', Username }));
  const reset = (Username: string, ConfirmationCode: string) =>
    admin.send(
      new ConfirmForgotPasswordCommand({
        ClientId: 'app',
        Username,
        ConfirmationCode,
        Password: 'Another-horse-8',
      }),
    );
  assert.equal((await forgot('alice')).CodeDeliveryDetails?.DeliveryMedium, 'EMAIL');
  assert.equal((await forgot('nobody')).CodeDeliveryDetails?.DeliveryMedium, 'EMAIL');
  await assert.rejects(reset('nobody', '123456'), named('CodeMismatchException'));
  const { code = '' } = codesOf(folder, 'alice').reset ?? {};
  await reset('alice', code);
  await assert.rejects(reset('alice', code), named('ExpiredCodeException'));
  assert.deepEqual(
    events.map((event) => event.triggerSource),
    ['PostConfirmation_ConfirmForgotPassword'],
  );
  await forgot('alice');
  clock.advance(3600);
  await assert.rejects(
    reset('alice', codesOf(folder, 'alice').reset?.code ?? ''),
    named('ExpiredCodeException'),
  );
});

test('a client with a secret wants its hash', async (t) => {
  const { admin, addUser } = await run(t, { clients: { app: { ...all, GenerateSecret: true } } });
  await addUser('alice');
  const { UserPoolClient: app } = await admin.send(
    new DescribeUserPoolClientCommand({ UserPoolId: poolId, ClientId: 'app' }),
  );
  const signIn = (hash: Record<string, string>) =>
    admin.send(
      new InitiateAuthCommand({
        ClientId: 'app',
        AuthFlow: 'USER_PASSWORD_AUTH',
        AuthParameters: { USERNAME: 'alice', PASSWORD: password, ...hash },
      }),
    );
  await assert.rejects(signIn({}), named('NotAuthorizedException', /SECRET_HASH was not received/));
  await assert.rejects(signIn({ SECRET_HASH: 'AAAA' }), named('NotAuthorizedException', /Unable to verify/));
  const hash = createHmac('sha256', app?.ClientSecret ?? '')
    .update('aliceapp')
    .digest('base64');
  assert.ok((await signIn({ SECRET_HASH: hash })).AuthenticationResult);
});

test('the pool and its clients can be looked at', async (t) => {
  const { admin } = await run(t, {
    clients: { app: all, silent: {} },
    triggers: { DefineAuthChallenge: (event) => event },
  });
  const { UserPool: pool } = await admin.send(new DescribeUserPoolCommand({ UserPoolId: poolId }));
  assert.equal(pool?.Name, 'people');
  assert.deepEqual(pool?.LambdaConfig, { DefineAuthChallenge: 'arn:DefineAuthChallenge' });
  const { UserPoolClients: clients } = await admin.send(
    new ListUserPoolClientsCommand({ UserPoolId: poolId }),
  );
  assert.deepEqual(
    clients?.map(({ ClientId }) => ClientId),
    ['app', 'silent'],
  );
  const { UserPoolClient: silent } = await admin.send(
    new DescribeUserPoolClientCommand({ UserPoolId: poolId, ClientId: 'silent' }),
  );
  assert.equal(silent?.ExplicitAuthFlows, undefined);
  assert.equal(silent?.PreventUserExistenceErrors, 'LEGACY');
  const mfa = await admin.send(new GetUserPoolMfaConfigCommand({ UserPoolId: poolId }));
  assert.equal(mfa.MfaConfiguration, 'OFF');
  const { Providers } = await admin.send(new ListIdentityProvidersCommand({ UserPoolId: poolId }));
  assert.deepEqual(Providers, []);
  await assert.rejects(
    admin.send(new DescribeUserPoolClientCommand({ UserPoolId: poolId, ClientId: 'none' })),
    named('ResourceNotFoundException'),
  );
});
