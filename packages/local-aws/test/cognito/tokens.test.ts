import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AdminUserGlobalSignOutCommand,
  GetUserCommand,
  GlobalSignOutCommand,
  InitiateAuthCommand,
  RevokeTokenCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import {
  all,
  named,
  password,
  poolId,
  type RunOptions,
  region,
  run,
  type TriggerEvent,
} from '../../testing/cognito.ts';

type Running = Awaited<ReturnType<typeof run>>;

const issuer = `https://cognito-idp.${region}.amazonaws.com/${poolId}`;

async function signIn({ admin }: Running, app = 'app') {
  const { AuthenticationResult: result = {} } = await admin.send(
    new InitiateAuthCommand({
      ClientId: app,
      AuthFlow: 'USER_PASSWORD_AUTH',
      AuthParameters: { USERNAME: 'alice', PASSWORD: password },
    }),
  );
  return result;
}

async function refresh({ admin }: Running, token: string | undefined, app = 'app') {
  const { AuthenticationResult: result = {} } = await admin.send(
    new InitiateAuthCommand({
      ClientId: app,
      AuthFlow: 'REFRESH_TOKEN_AUTH',
      AuthParameters: { REFRESH_TOKEN: token ?? '' },
    }),
  );
  return result;
}

/** The claims, as anyone verifies them: with jose and the published keys. */
async function claims({ endpoint, clock }: Running, token: string | undefined) {
  const keys = createRemoteJWKSet(new URL(`${endpoint}/${poolId}/.well-known/jwks.json`));
  const { payload } = await jwtVerify(token ?? '', keys, {
    issuer,
    algorithms: ['RS256'],
    currentDate: new Date(clock.now()),
  });
  return payload;
}

async function withAlice(t: Parameters<typeof run>[0], options?: RunOptions) {
  const running = await run(t, options);
  await running.addUser('alice', { email: 'alice@example.com', email_verified: 'true' });
  return running;
}

test('the tokens carry the documented claims and verify against the JWKS', async (t) => {
  const running = await withAlice(t);
  const now = running.clock.seconds();
  const { AccessToken, IdToken } = await signIn(running);
  assert.deepEqual(Object.keys(decodeProtectedHeader(AccessToken ?? '')).sort(), ['alg', 'kid']);
  const access = await claims(running, AccessToken);
  const id = await claims(running, IdToken);
  assert.deepEqual(Object.keys(access).sort(), [
    'auth_time',
    'client_id',
    'event_id',
    'exp',
    'iat',
    'iss',
    'jti',
    'origin_jti',
    'scope',
    'sub',
    'token_use',
    'username',
  ]);
  assert.equal(access['token_use'], 'access');
  assert.equal(access['client_id'], 'app');
  assert.equal(access['username'], 'alice');
  assert.equal(access['scope'], 'aws.cognito.signin.user.admin');
  assert.ok(Number(access['auth_time']) >= now && Number(access['auth_time']) <= now + 1);
  assert.equal(Number(access.exp) - Number(access.iat), 3600);
  assert.equal(id['token_use'], 'id');
  assert.equal(id.aud, 'app');
  assert.equal(id['cognito:username'], 'alice');
  assert.equal(id['email'], 'alice@example.com');
  assert.equal(id['email_verified'], true);
  assert.equal(id['origin_jti'], access['origin_jti']);
  assert.equal(id.sub, access.sub);
});

test('refreshing renews neither auth_time nor origin_jti, and ends with the refresh token', async (t) => {
  const app = { ...all, RefreshTokenValidity: 2, TokenValidityUnits: { RefreshToken: 'hours' } };
  const running = await withAlice(t, { clients: { app } });
  const first = await signIn(running);
  const before = await claims(running, first.AccessToken);
  running.clock.advance(3600);
  const after = await claims(running, (await refresh(running, first.RefreshToken)).AccessToken);
  assert.equal(after['auth_time'], before['auth_time']);
  assert.equal(after['origin_jti'], before['origin_jti']);
  assert.notEqual(after.jti, before.jti);
  assert.ok(Number(after.iat) >= Number(before.iat) + 3600);
  running.clock.advance(3600);
  await assert.rejects(
    refresh(running, first.RefreshToken),
    named('NotAuthorizedException', 'Refresh Token has expired'),
  );
});

test("a client's units decide how long its tokens live", async (t) => {
  const app = {
    ...all,
    AccessTokenValidity: 5,
    IdTokenValidity: 600,
    TokenValidityUnits: { AccessToken: 'minutes', IdToken: 'seconds' },
  };
  const running = await withAlice(t, { clients: { app } });
  const { AccessToken, IdToken, ExpiresIn } = await signIn(running);
  assert.equal(ExpiresIn, 300);
  const access = await claims(running, AccessToken);
  const id = await claims(running, IdToken);
  assert.equal(Number(access.exp) - Number(access.iat), 300);
  assert.equal(Number(id.exp) - Number(id.iat), 600);
});

test('revoking ends the session and its access tokens here, and outlives a restart', async (t) => {
  const running = await withAlice(t, { clients: { app: all, other: all } });
  const { AccessToken, RefreshToken } = await signIn(running);
  const other = await signIn(running);
  await running.admin.send(new GetUserCommand({ AccessToken }));
  await assert.rejects(
    running.admin.send(new RevokeTokenCommand({ ClientId: 'other', Token: RefreshToken })),
    named('UnauthorizedException'),
  );
  await assert.rejects(
    running.admin.send(new RevokeTokenCommand({ ClientId: 'app', Token: AccessToken })),
    named('UnsupportedTokenTypeException'),
  );
  await running.admin.send(new RevokeTokenCommand({ ClientId: 'app', Token: RefreshToken }));
  await running.admin.send(new RevokeTokenCommand({ ClientId: 'app', Token: RefreshToken }));
  await assert.rejects(
    running.admin.send(new GetUserCommand({ AccessToken })),
    named('NotAuthorizedException', 'Access Token has been revoked'),
  );
  const again = await run(t, { folder: running.folder });
  await assert.rejects(refresh(again, RefreshToken), named('NotAuthorizedException', /revoked/));
  assert.ok((await refresh(again, other.RefreshToken)).AccessToken);
});

test('a client without revocation has no origin_jti and cannot revoke', async (t) => {
  const running = await withAlice(t, { clients: { app: { ...all, EnableTokenRevocation: false } } });
  const { AccessToken, RefreshToken } = await signIn(running);
  assert.equal((await claims(running, AccessToken))['origin_jti'], undefined);
  await assert.rejects(
    running.admin.send(new RevokeTokenCommand({ ClientId: 'app', Token: RefreshToken })),
    named('UnsupportedOperationException'),
  );
});

test('signing out everywhere ends all sessions of the user, and no later one', async (t) => {
  const running = await withAlice(t);
  const first = await signIn(running);
  await running.admin.send(new GlobalSignOutCommand({ AccessToken: first.AccessToken }));
  await assert.rejects(refresh(running, first.RefreshToken), named('NotAuthorizedException', /revoked/));
  await assert.rejects(
    running.admin.send(new GetUserCommand({ AccessToken: first.AccessToken })),
    named('NotAuthorizedException', /revoked/),
  );
  running.clock.advance(1);
  const second = await signIn(running);
  await running.admin.send(new GetUserCommand({ AccessToken: second.AccessToken }));
  await running.admin.send(new AdminUserGlobalSignOutCommand({ UserPoolId: poolId, Username: 'alice' }));
  await assert.rejects(refresh(running, second.RefreshToken), named('NotAuthorizedException', /revoked/));
});

test('a refresh token is of use to its own client only, and no other token in its place', async (t) => {
  const running = await withAlice(t, { clients: { app: all, other: all } });
  const { AccessToken, IdToken, RefreshToken } = await signIn(running);
  const invalid = named('NotAuthorizedException', 'Invalid Refresh Token');
  await assert.rejects(refresh(running, RefreshToken, 'other'), invalid);
  await assert.rejects(refresh(running, AccessToken), invalid);
  await assert.rejects(
    running.admin.send(new GetUserCommand({ AccessToken: IdToken })),
    named('NotAuthorizedException', 'Invalid Access Token'),
  );
  running.clock.advance(3601);
  await assert.rejects(
    running.admin.send(new GetUserCommand({ AccessToken })),
    named('NotAuthorizedException', 'Access Token has expired'),
  );
});

test('pre token generation, version 2, changes both tokens but not the claims that are fixed', async (t) => {
  const seen: TriggerEvent[] = [];
  const running = await withAlice(t, {
    properties: {
      LambdaConfig: {
        PreTokenGenerationConfig: { LambdaArn: 'arn:PreTokenGeneration', LambdaVersion: 'V2_0' },
      },
    },
    triggers: {
      PreTokenGeneration: (event) => {
        seen.push(event);
        event.response = {
          claimsAndScopeOverrideDetails: {
            idTokenGeneration: { claimsToAddOrOverride: { tier: 'gold' }, claimsToSuppress: ['email'] },
            accessTokenGeneration: {
              claimsToAddOrOverride: { tier: 'gold', sub: 'somebody-else', amr: ['mfa'] },
              scopesToAdd: ['extra'],
            },
            groupOverrideDetails: { groupsToOverride: ['enrollment_required'] },
          },
        };
        return event;
      },
    },
  });
  const { AccessToken, IdToken, RefreshToken } = await signIn(running);
  const access = await claims(running, AccessToken);
  assert.equal(access['tier'], 'gold');
  assert.notEqual(access.sub, 'somebody-else');
  assert.equal(access['amr'], undefined);
  assert.equal(access['scope'], 'aws.cognito.signin.user.admin extra');
  assert.deepEqual(access['cognito:groups'], ['enrollment_required']);
  const id = await claims(running, IdToken);
  assert.equal(id['tier'], 'gold');
  assert.equal(id['email'], undefined);
  await refresh(running, RefreshToken);
  assert.deepEqual(
    seen.map((event) => `${event.version} ${event.triggerSource}`),
    ['2 TokenGeneration_Authentication', '2 TokenGeneration_RefreshTokens'],
  );
});

test('pre token generation, version 1, changes the ID token', async (t) => {
  const running = await withAlice(t, {
    triggers: {
      PreTokenGeneration: (event) => {
        event.response = { claimsOverrideDetails: { claimsToAddOrOverride: { tier: 'gold' } } };
        return event;
      },
    },
  });
  const { AccessToken, IdToken } = await signIn(running);
  assert.equal((await claims(running, IdToken))['tier'], 'gold');
  assert.equal((await claims(running, AccessToken))['tier'], undefined);
});
