import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertPrivate, assertProblem, clientOf, signIn, text } from '../support/client.ts';
import { createPerson } from '../support/people.ts';
import { serviceForTests } from '../support/service.ts';

const service = await serviceForTests();
const client = clientOf(service);
const refresh = (refreshToken: string) => client.post('/v1/auth/refresh', { refreshToken });
const logOut = (refreshToken: string) => client.post('/v1/auth/logout', { refreshToken });

test('logging out before the first refresh ends the session', async () => {
  const session = await signIn(client, await createPerson(service));
  const answer = await logOut(session.refresh);
  assert.equal(answer.status, 204);
  assert.deepEqual(answer.body, {});
  assertPrivate(answer);
  assertProblem(await refresh(session.refresh), 401, 'refresh_token_invalid');
});

test('logging out after a refresh ends the session, by the newest token or an older one', async () => {
  for (const byNewest of [true, false]) {
    const session = await signIn(client, await createPerson(service));
    const newest = text(await refresh(session.refresh), 'refreshToken');
    assert.equal((await logOut(byNewest ? newest : session.refresh)).status, 204);
    assertProblem(await refresh(newest), 401, 'refresh_token_invalid');
  }
});

test('logging out twice is no error', async () => {
  const session = await signIn(client, await createPerson(service));
  assert.equal((await logOut(session.refresh)).status, 204);
  assert.equal((await logOut(session.refresh)).status, 204);
});

test('the other sessions of the user stay valid', async () => {
  const person = await createPerson(service);
  const [here, elsewhere] = [await signIn(client, person), await signIn(client, person)];
  await logOut(here.refresh);
  assert.equal((await refresh(elsewhere.refresh)).status, 200);
});

test('anything but a refresh token of this client is refused and ends nothing', async () => {
  const session = await signIn(client, await createPerson(service));
  const other = clientOf(service, service.local.limitedApiKey);
  assertProblem(await logOut(session.access), 401, 'refresh_token_invalid');
  assertProblem(await logOut('nonsense'), 401, 'refresh_token_invalid');
  assertProblem(
    await other.post('/v1/auth/logout', { refreshToken: session.refresh }),
    401,
    'refresh_token_invalid',
  );
  assert.equal((await refresh(session.refresh)).status, 200);
});
