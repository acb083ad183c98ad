import assert from 'node:assert/strict';
import { test } from 'node:test';
import { administratorOf } from '../support/administrator.ts';
import {
  assertPrivate,
  assertProblem,
  challengeFor,
  clientOf,
  enrollPerson,
  signIn,
} from '../support/client.ts';
import { createPerson } from '../support/people.ts';
import { serviceForTests } from '../support/service.ts';

const service = await serviceForTests();
const client = clientOf(service);
const administrator = administratorOf(service);

test('revoking ends every session and challenge and keeps the factor', async () => {
  const person = await createPerson(service);
  const { access, refresh, code } = await enrollPerson(service, client, person);
  const challengeToken = await challengeFor(client, person);
  const answer = await administrator.revokeSessions(person.sub);
  assert.equal(answer.status, 204);
  assert.deepEqual(answer.body, {});
  assertPrivate(answer);
  assertProblem(await client.get('/v1/authenticators', access), 401, 'token_invalid');
  const refreshed = await client.post('/v1/auth/refresh', { refreshToken: refresh });
  assertProblem(refreshed, 401, 'refresh_token_invalid');
  const late = await client.post('/v1/auth/verify', { challengeToken, code: code() });
  assertProblem(late, 401, 'challenge_invalid');
  const anew = { challengeToken: await challengeFor(client, person), code: code() };
  assert.equal((await client.post('/v1/auth/verify', anew)).status, 200);
});

test('revoking works for a user without a second factor', async () => {
  const person = await createPerson(service);
  const session = await signIn(client, person);
  assert.equal((await administrator.revokeSessions(person.sub)).status, 204);
  assertProblem(await client.get('/v1/authenticators', session.access), 401, 'token_invalid');
  const refreshed = await client.post('/v1/auth/refresh', { refreshToken: session.refresh });
  assertProblem(refreshed, 401, 'refresh_token_invalid');
  const again = await signIn(client, person);
  assert.equal((await client.get('/v1/authenticators', again.access)).status, 200);
});
