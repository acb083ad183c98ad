// An attacker with a kept or stolen access token tries to enroll the first authenticator of an account.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AdminDeleteUserCommand,
  AdminDisableUserCommand,
  AdminUserGlobalSignOutCommand,
  GlobalSignOutCommand,
  RevokeTokenCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import '../support/native-powers.ts';
import { assertProblem, clientOf, codeAt, signIn, text } from '../support/client.ts';
import { type CognitoSession, passwordSession } from '../support/cognito-sign-in.ts';
import { assertUnavailable, during } from '../support/faults.ts';
import { cognitoOf, createPerson } from '../support/people.ts';
import { unthrottled } from '../support/plans.ts';
import { serviceForTests } from '../support/service.ts';
import { callsDuring, storedFactor, storedRecord } from '../support/stored.ts';

const service = await serviceForTests(unthrottled);
const client = clientOf(service);
const enroll = (access: string, body: Record<string, unknown> = {}) =>
  client.post('/v1/totp/enroll', body, access);
const logOut = async (refreshToken: string) =>
  assert.equal((await client.post('/v1/auth/logout', { refreshToken })).status, 204);

/** Begins an enrollment and returns a function that confirms it with the right code. */
async function begun(access: string, body: Record<string, unknown> = {}) {
  const pending = await enroll(access, body);
  assert.equal(pending.status, 201, JSON.stringify(pending.body));
  const authenticatorId = text(pending, 'authenticatorId');
  return (bearer = access) => {
    const code = codeAt(text(pending, 'secret'), service.clock.seconds());
    return client.post('/v1/totp/confirm', { authenticatorId, code }, bearer);
  };
}

test('a stolen access token without the password cannot enroll the first authenticator', async () => {
  const [person, thief] = [await createPerson(service), await createPerson(service)];
  const { access, refresh } = await signIn(client, person);
  const refreshed = await client.post('/v1/auth/refresh', { refreshToken: refresh });
  for (const stolen of [access, text(refreshed, 'accessToken')]) {
    const without = await enroll(stolen);
    assertProblem(without, 400, 'invalid_request');
    assert.equal(without.body['detail'], 'password is required.');
    for (const password of [thief.password, `${person.password}x`]) {
      assertProblem(await enroll(stolen, { password }), 401, 'invalid_credentials');
    }
  }
  assert.equal(await storedRecord(service, person), undefined, 'nothing is written, so nothing is counted');
  const confirm = await begun(access, { password: person.password });
  assert.equal((await confirm()).status, 200, 'the owner can enroll with the same token');
});

test('a logged-out session cannot enroll, with or without the password', async () => {
  const ends: Record<string, (refresh: string) => Promise<unknown>> = {
    'logged out': logOut,
    'ended by a replay': async (refreshToken) => {
      const refresh = async () => (await client.post('/v1/auth/refresh', { refreshToken })).status;
      assert.equal(await refresh(), 200);
      service.clock.advance(61);
      assert.equal(await refresh(), 401);
    },
  };
  for (const [what, end] of Object.entries(ends)) {
    const person = await createPerson(service);
    const { access, refresh } = await signIn(client, person);
    await end(refresh);
    const calls = await callsDuring(service, async () => {
      for (const body of [{}, { password: person.password }, { password: 'Wrong-password-1' }]) {
        assertProblem(await enroll(access, body), 401, 'token_invalid');
      }
    });
    const atCognito = calls.filter((call) => call.startsWith('cognito-idp:'));
    assert.deepEqual(atCognito, [], `${what}: it cannot be used to guess the password`);
    assert.equal(await storedRecord(service, person), undefined, what);
    const { access: another } = await signIn(client, person);
    assert.equal((await (await begun(another, { password: person.password }))()).status, 200, what);
  }
});

test('a logged-out session cannot confirm its pending enrollment', async () => {
  const person = await createPerson(service);
  const { access, refresh } = await signIn(client, person);
  const confirm = await begun(access, { password: person.password });
  await logOut(refresh);
  const before = await storedRecord(service, person);
  assertProblem(await confirm(), 401, 'token_invalid');
  assert.deepEqual(
    await storedRecord(service, person),
    before,
    'nothing is put in force, and nothing is counted',
  );
  assert.equal((await signIn(client, person)).access.length > 0, true, 'the password alone still signs in');
});

test('a session cannot enroll if its end cannot be read', async () => {
  const person = await createPerson(service);
  const { access } = await signIn(client, person);
  const { password } = person;
  // The first read is that of the record, the next one that of the refresh family.
  await during(
    service,
    'error',
    ['GetItem'],
    async () => assertUnavailable(await enroll(access, { password })),
    1,
  );
  assert.equal(await storedRecord(service, person), undefined);
});

test('a signed-out Cognito session can neither enroll nor confirm', async () => {
  const { userPoolId: UserPoolId, clientId: ClientId } = service.local.cognito;
  type Sdk = ReturnType<typeof cognitoOf>;
  const ends: Record<string, (sdk: Sdk, session: CognitoSession, Username: string) => Promise<unknown>> = {
    'by the user': (sdk, { access }) => sdk.send(new GlobalSignOutCommand({ AccessToken: access })),
    'by revoking its refresh token': (sdk, { refresh }) =>
      sdk.send(new RevokeTokenCommand({ ClientId, Token: refresh })),
    'by an administrator': (sdk, _, Username) =>
      sdk.send(new AdminUserGlobalSignOutCommand({ UserPoolId, Username })),
    'by disabling the user': (sdk, _, Username) =>
      sdk.send(new AdminDisableUserCommand({ UserPoolId, Username })),
    'by deleting the user': (sdk, _, Username) =>
      sdk.send(new AdminDeleteUserCommand({ UserPoolId, Username })),
  };
  for (const [what, end] of Object.entries(ends)) {
    const person = await createPerson(service);
    const waiting = await createPerson(service);
    const sdk = cognitoOf(service);
    const session = await passwordSession(service, person);
    const begunIn = await passwordSession(service, waiting);
    const confirm = await begun(begunIn.access);
    await end(sdk, session, person.username);
    await end(sdk, begunIn, waiting.username);
    sdk.destroy();
    assertProblem(await enroll(session.access), 401, 'token_invalid');
    assertProblem(await confirm(), 401, 'token_invalid');
    assert.equal((await storedFactor(service, person)).pending, undefined, what);
    assert.deepEqual((await storedFactor(service, waiting)).authenticators, [], what);
  }
});

test('a session cannot enroll while Cognito cannot say whether it is active, and can afterwards', async () => {
  const person = await createPerson(service);
  const { access } = await passwordSession(service, person);
  for (const fault of ['throttle', 'error', 'lose-answer'] as const) {
    await during(service, fault, ['GetUser'], async () => assertUnavailable(await enroll(access)));
  }
  assert.equal(await storedRecord(service, person), undefined);
  const withPassword = await enroll(access, { password: person.password });
  assertProblem(withPassword, 400, 'invalid_request');
  assert.equal(withPassword.body['detail'], "password is not taken with another issuer's token.");
  const confirm = await begun(access);
  const before = await storedRecord(service, person);
  await during(service, 'error', ['GetUser'], async () => assertUnavailable(await confirm()));
  assert.deepEqual(await storedRecord(service, person), before);
  assert.equal((await confirm()).status, 200);
});

test('Cognito counts password guesses at enrollment, as at login', async () => {
  const person = await createPerson(service);
  const { username, password } = person;
  const { access } = await signIn(client, person);
  const logIn = (given: string) => client.post('/v1/auth/login', { username, password: given });
  const wrong = `${password}x`;
  // Four failures at each endpoint, each after the previous lock: now Cognito locks for eight seconds.
  for (let failure = 1; failure <= 8; failure++) {
    const guess = failure % 2 === 0 ? await logIn(wrong) : await enroll(access, { password: wrong });
    assertProblem(guess, 401, 'invalid_credentials');
    if (failure < 8) service.clock.advance(failure < 5 ? 0 : 2 ** (failure - 5) + 0.1);
  }
  assertProblem(await enroll(access, { password }), 401, 'invalid_credentials');
  assertProblem(await logIn(password), 401, 'invalid_credentials');
  assert.equal(await storedRecord(service, person), undefined, 'the second factor counts no failure');
  service.clock.advance(8);
  assert.equal((await enroll(access, { password })).status, 201);
});
