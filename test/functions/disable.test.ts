import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assertFields,
  assertPrivate,
  assertProblem,
  challengeFor,
  clientOf,
  codeAt,
  enrollPerson,
  SESSION,
  signIn,
  text,
} from '../support/client.ts';
import { createPerson } from '../support/people.ts';
import { serviceForTests } from '../support/service.ts';
import { storedRecord } from '../support/stored.ts';

const service = await serviceForTests();
const client = clientOf(service);
const disable = (access: string, body: Record<string, string>) =>
  client.post('/v1/authenticators/disable', body, access);
const statusOf = async (access: string) => (await client.get('/v1/authenticators', access)).body;

/** Creates a user with two authenticators. */
async function withTwo() {
  const person = await createPerson(service);
  const first = await enrollPerson(service, client, person);
  const answer = await client.post('/v1/totp/enroll', { name: 'Second', code: first.code() }, first.access);
  const secret = text(answer, 'secret');
  const authenticatorId = text(answer, 'authenticatorId');
  const code = codeAt(secret, service.clock.seconds());
  const confirmed = await client.post('/v1/totp/confirm', { authenticatorId, code }, first.access);
  service.clock.advance(30);
  return { person, first, second: { secret, authenticatorId }, access: text(confirmed, 'accessToken') };
}

test('disabling with a code removes all authenticators and the backup codes', async () => {
  const { person, access, first } = await withTwo();
  const answer = await disable(access, { code: first.code() });
  assertFields(answer, 200, [...SESSION, 'enabled']);
  assertPrivate(answer);
  assert.equal(answer.body['enabled'], false);
  assert.deepEqual(await statusOf(text(answer, 'accessToken')), {
    enabled: false,
    authenticators: [],
    backupCodesRemaining: 0,
  });
  await signIn(client, person);
});

test('disabling with a backup code does the same', async () => {
  const { access, backupCodes } = await enrollPerson(service, client, await createPerson(service));
  const [backupCode = ''] = backupCodes;
  assert.equal((await disable(access, { backupCode })).body['enabled'], false);
});

test('disabling one by its id keeps the other and the backup codes', async () => {
  const { person, access, first, second } = await withTwo();
  const answer = await disable(access, { code: first.code(), authenticatorId: first.authenticatorId });
  assertFields(answer, 200, [...SESSION, 'enabled']);
  assert.equal(answer.body['enabled'], true);
  const status = await statusOf(text(answer, 'accessToken'));
  const left = status['authenticators'] as { id: string; name: string }[];
  assert.deepEqual(
    left.map(({ id, name }) => ({ id, name })),
    [{ id: second.authenticatorId, name: 'Second' }],
  );
  assert.equal(status['backupCodesRemaining'], 10);

  service.clock.advance(30);
  const signInWith = async (secret: string) =>
    client.post('/v1/auth/verify', {
      challengeToken: await challengeFor(client, person),
      code: codeAt(secret, service.clock.seconds()),
    });
  assertProblem(await signInWith(first.secret), 401, 'code_rejected');
  assert.equal((await signInWith(second.secret)).status, 200);
});

test('disabling the last one by its id disables all', async () => {
  const person = await createPerson(service);
  const { access, code, authenticatorId } = await enrollPerson(service, client, person);
  const answer = await disable(access, { code: code(), authenticatorId });
  assert.equal(answer.body['enabled'], false);
  assert.equal((await statusOf(text(answer, 'accessToken')))['backupCodesRemaining'], 0);
  await signIn(client, person);
});

test('a session alone removes nothing', async () => {
  const person = await createPerson(service);
  const { access, authenticatorId, wrongCode } = await enrollPerson(service, client, person);
  const before = await storedRecord(service, person);
  assertProblem(await disable(access, {}), 400, 'invalid_request');
  assertProblem(await disable(access, { authenticatorId }), 400, 'invalid_request');
  assert.deepEqual(await storedRecord(service, person), before);
  assertProblem(await disable(access, { code: wrongCode() }), 401, 'code_rejected');
  assert.equal((await statusOf(access))['enabled'], true);
});

test('an unknown authenticator is a 404 and spends no attempt', async () => {
  const person = await createPerson(service);
  const { access, code } = await enrollPerson(service, client, person);
  const before = await storedRecord(service, person);
  const answer = await disable(access, { code: code(), authenticatorId: 'not-one-of-mine' });
  assertProblem(answer, 404, 'authenticator_not_found');
  assert.deepEqual(await storedRecord(service, person), before);
});

test('without a second factor disabling is refused', async () => {
  const { access } = await signIn(client, await createPerson(service));
  assertProblem(await disable(access, { code: '123456' }), 409, 'not_enrolled');
});

test('a code used to sign in disables nothing', async () => {
  const person = await createPerson(service);
  const { access, code } = await enrollPerson(service, client, person);
  const used = code();
  const challengeToken = await challengeFor(client, person);
  assert.equal((await client.post('/v1/auth/verify', { challengeToken, code: used })).status, 200);
  assertProblem(await disable(access, { code: used }), 401, 'code_rejected');
});

test('disabling and enrolling again does not restore older sessions', async () => {
  const person = await createPerson(service);
  const { access, refresh, code } = await enrollPerson(service, client, person);
  assert.equal((await disable(access, { code: code() })).status, 200);
  await enrollPerson(service, client, person);
  assertProblem(await client.get('/v1/authenticators', access), 401, 'token_invalid');
  const refreshed = await client.post('/v1/auth/refresh', { refreshToken: refresh });
  assertProblem(refreshed, 401, 'refresh_token_invalid');
});
