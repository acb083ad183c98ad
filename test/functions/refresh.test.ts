import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeJwt } from 'jose';
import {
  assertFields,
  assertPrivate,
  assertProblem,
  challengeFor,
  clientOf,
  enrollPerson,
  SESSION,
  signIn,
  text,
} from '../support/client.ts';
import { createPerson } from '../support/people.ts';
import { serviceForTests } from '../support/service.ts';

const service = await serviceForTests();
const client = clientOf(service);
const refresh = (refreshToken: string) => client.post('/v1/auth/refresh', { refreshToken });

test('a refresh token gets the next pair of tokens', async () => {
  const session = await signIn(client, await createPerson(service));
  const answer = await refresh(session.refresh);
  assertFields(answer, 200, SESSION);
  assertPrivate(answer);
  assert.notEqual(text(answer, 'refreshToken'), session.refresh);
  assert.equal((await client.get('/v1/authenticators', text(answer, 'accessToken'))).status, 200);
});

test('refreshing renews neither auth_time nor the absolute end, nor what was proved', async () => {
  const person = await createPerson(service);
  const { code } = await enrollPerson(service, client, person);
  const challengeToken = await challengeFor(client, person);
  const first = await client.post('/v1/auth/verify', { challengeToken, code: code() });
  service.clock.advance(1000);
  const second = await refresh(text(first, 'refreshToken'));
  const grounds = ['auth_time', 'amr', 'acr', 'sub', 'client_id'];
  const [before, after] = [decodeJwt(text(first, 'accessToken')), decodeJwt(text(second, 'accessToken'))];
  for (const claim of grounds) assert.deepEqual(after[claim], before[claim], claim);
  assert.ok((after.exp ?? 0) > (before.exp ?? 0) + 900);
  assert.equal(decodeJwt(text(second, 'refreshToken')).exp, decodeJwt(text(first, 'refreshToken')).exp);
});

test('a family ends 24 hours after the sign-in, however often it was refreshed', async () => {
  let { refresh: token } = await signIn(client, await createPerson(service));
  for (let hours = 0; hours < 23; hours += 11) {
    token = text(await refresh(token), 'refreshToken');
    service.clock.advance(11 * 3600);
  }
  assertProblem(await refresh(token), 401, 'refresh_token_invalid');
});

test('reusing a rotated token ends the family, including the newest token', async () => {
  const session = await signIn(client, await createPerson(service));
  const second = text(await refresh(session.refresh), 'refreshToken');
  const third = text(await refresh(second), 'refreshToken');
  const replayed = await refresh(session.refresh);
  assertProblem(replayed, 401, 'refresh_token_invalid');
  assertPrivate(replayed);
  assertProblem(await refresh(third), 401, 'refresh_token_invalid');
});

test('the end of one family leaves the other sessions of the user alone', async () => {
  const person = await createPerson(service);
  const [stolen, other] = [await signIn(client, person), await signIn(client, person)];
  await refresh(stolen.refresh);
  service.clock.advance(6);
  assertProblem(await refresh(stolen.refresh), 401, 'refresh_token_invalid');
  assert.equal((await refresh(other.refresh)).status, 200);
});

test('five concurrent uses of a refresh token get at most two pairs and end the family', async () => {
  const session = await signIn(client, await createPerson(service));
  const answers = await Promise.all(Array.from({ length: 5 }, () => refresh(session.refresh)));
  const [next, ...more] = answers.filter(({ status }) => status === 200);
  assert.ok(next && more.length <= 1, answers.map(({ status }) => status).join());
  assertProblem(await refresh(text(next, 'refreshToken')), 401, 'refresh_token_invalid');
});

test('a client that lost the response can retry the refresh at once with the same token', async () => {
  const session = await signIn(client, await createPerson(service));
  assert.equal((await refresh(session.refresh)).status, 200);
  const again = await refresh(session.refresh);
  assertFields(again, 200, SESSION);
  assert.equal((await refresh(text(again, 'refreshToken'))).status, 200);
});

test('a refresh token belongs to the client whose API key it was issued to, and another client does not end it', async () => {
  const session = await signIn(client, await createPerson(service));
  const other = clientOf(service, service.local.limitedApiKey);
  const answer = await other.post('/v1/auth/refresh', { refreshToken: session.refresh });
  assertProblem(answer, 401, 'refresh_token_invalid');
  assert.equal((await refresh(session.refresh)).status, 200);
});

test('no other token counts as a refresh token', async () => {
  const person = await createPerson(service);
  const { access } = await enrollPerson(service, client, person);
  for (const token of [access, await challengeFor(client, person), 'nonsense', 'a.b.c']) {
    assertProblem(await refresh(token), 401, 'refresh_token_invalid');
  }
});
