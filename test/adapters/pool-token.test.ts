import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AdminDeleteUserCommand,
  AdminDisableUserCommand,
  AdminEnableUserCommand,
  AdminUserGlobalSignOutCommand,
  type CognitoIdentityProviderClient,
  GlobalSignOutCommand,
  InitiateAuthCommand,
  RevokeTokenCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { all, password, poolId, region, run } from '@countersign/local-aws/testing/cognito';
import { createAskPool } from '../../adapters/pool-token.ts';
import { refusal } from '../support/refusal.ts';

const SCOPE = 'aws.cognito.signin.user.admin';
const user = { UserPoolId: poolId, Username: 'alice' };

interface Tokens {
  AccessToken?: string | undefined;
  RefreshToken?: string | undefined;
}

/** Runs a pool with Alice in it. `goesOn` asks Cognito whether a session of hers is still valid. */
async function signedIn(t: Parameters<typeof run>[0]) {
  const { admin, addUser, endpoint, clock } = await run(t, { clients: { app: all } });
  await addUser('alice');
  const signIn = async (): Promise<Tokens> => {
    const { AuthenticationResult } = await admin.send(
      new InitiateAuthCommand({
        ClientId: 'app',
        AuthFlow: 'USER_PASSWORD_AUTH',
        AuthParameters: { USERNAME: 'alice', PASSWORD: password },
      }),
    );
    return AuthenticationResult ?? assert.fail();
  };
  process.env['AWS_REGION'] = region;
  process.env['AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER'] = endpoint;
  const askPool = createAskPool();
  const goesOn = ({ AccessToken = '' }: Tokens) => askPool(AccessToken, `openid ${SCOPE}`);
  return { admin, clock, signIn, goesOn };
}

const ends: [string, (admin: CognitoIdentityProviderClient, tokens: Tokens) => Promise<unknown>][] = [
  ['GlobalSignOut', (admin, { AccessToken }) => admin.send(new GlobalSignOutCommand({ AccessToken }))],
  [
    'RevokeToken',
    (admin, { RefreshToken }) => admin.send(new RevokeTokenCommand({ ClientId: 'app', Token: RefreshToken })),
  ],
  ['AdminUserGlobalSignOut', (admin) => admin.send(new AdminUserGlobalSignOutCommand(user))],
  ['AdminDisableUser', (admin) => admin.send(new AdminDisableUserCommand(user))],
  ['AdminDeleteUser', (admin) => admin.send(new AdminDeleteUserCommand(user))],
];
for (const [operation, end] of ends) {
  test(`after ${operation} Cognito says that the session has ended`, async (t) => {
    const { admin, signIn, goesOn } = await signedIn(t);
    const tokens = await signIn();
    assert.equal(await goesOn(tokens), true);
    await end(admin, tokens);
    assert.equal(await goesOn(tokens), false);
  });
}

test('disabling a user ends earlier sessions, even after enabling them again; a later session is valid', async (t) => {
  const { admin, clock, signIn, goesOn } = await signedIn(t);
  const tokens = await signIn();
  await admin.send(new AdminDisableUserCommand(user));
  clock.advance(1);
  await admin.send(new AdminEnableUserCommand(user));
  assert.equal(await goesOn(tokens), false);
  assert.equal(await goesOn(await signIn()), true);
});

test('revoking one session leaves the other sessions of the user valid', async (t) => {
  const { admin, signIn, goesOn } = await signedIn(t);
  const [one, other] = [await signIn(), await signIn()];
  await admin.send(new RevokeTokenCommand({ ClientId: 'app', Token: one.RefreshToken }));
  assert.deepEqual([await goesOn(one), await goesOn(other)], [false, true]);
});

test('a token without the scope gets insufficient_scope, without a call to Cognito', async (t) => {
  const { signIn } = await signedIn(t);
  const { AccessToken = '' } = await signIn();
  process.env['AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER'] = 'http://127.0.0.1:1';
  for (const scope of [undefined, '', 'openid profile', `${SCOPE}x`]) {
    await assert.rejects(createAskPool()(AccessToken, scope), refusal('insufficient_scope'));
  }
  await assert.rejects(createAskPool()(AccessToken, SCOPE), refusal('temporarily_unavailable'));
});
