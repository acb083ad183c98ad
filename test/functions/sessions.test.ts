// Every change of the second factor ends all sessions except the one that made the change.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { administratorOf } from '../support/administrator.ts';
import {
  type Answer,
  assertProblem,
  challengeFor,
  clientOf,
  codeAt,
  enrollPerson,
  signIn,
  text,
} from '../support/client.ts';
import { createPerson } from '../support/people.ts';
import { serviceForTests } from '../support/service.ts';

const service = await serviceForTests();
const client = clientOf(service);
const administrator = administratorOf(service);

interface Session {
  access: string;
  refresh: string;
}

const sessionOf = (answer: Answer): Session => ({
  access: text(answer, 'accessToken'),
  refresh: text(answer, 'refreshToken'),
});

async function assertEnded({ access, refresh }: Session): Promise<void> {
  assertProblem(await client.get('/v1/authenticators', access), 401, 'token_invalid');
  assertProblem(await client.post('/v1/totp/enroll', {}, access), 401, 'token_invalid');
  const refreshed = await client.post('/v1/auth/refresh', { refreshToken: refresh });
  assertProblem(refreshed, 401, 'refresh_token_invalid');
}

async function assertGoesOn({ access, refresh }: Session): Promise<void> {
  assert.equal((await client.get('/v1/authenticators', access)).status, 200);
  const refreshed = await client.post('/v1/auth/refresh', { refreshToken: refresh });
  assert.equal(refreshed.status, 200);
  assert.equal((await client.get('/v1/authenticators', text(refreshed, 'accessToken'))).status, 200);
}

test('the first confirmation ends every other session and keeps its own', async () => {
  const person = await createPerson(service);
  const [here, elsewhere] = [await signIn(client, person), await signIn(client, person)];
  const enrolled = await client.post('/v1/totp/enroll', { password: person.password }, here.access);
  const code = codeAt(text(enrolled, 'secret'), service.clock.seconds());
  const body = { authenticatorId: text(enrolled, 'authenticatorId'), code };
  const answer = await client.post('/v1/totp/confirm', body, here.access);
  await assertGoesOn(sessionOf(answer));
  await assertEnded(here);
  await assertEnded(elsewhere);
});

/** Creates a user with two sessions that proved the second factor, and a third sign-in at its challenge. */
async function signedInTwice() {
  const person = await createPerson(service);
  const { code, nextCode, wrongCode, authenticatorId } = await enrollPerson(service, client, person);
  const complete = async () => {
    const challengeToken = await challengeFor(client, person);
    return sessionOf(await client.post('/v1/auth/verify', { challengeToken, code: nextCode() }));
  };
  const [here, elsewhere] = [await complete(), await complete()];
  const challenge = await challengeFor(client, person);
  service.clock.advance(30);
  return { person, code, nextCode, wrongCode, authenticatorId, here, elsewhere, challenge };
}

const byUser = {
  'a further authenticator': async ({ code, here }: Awaited<ReturnType<typeof signedInTwice>>) => {
    const enrolled = await client.post('/v1/totp/enroll', { code: code() }, here.access);
    const body = {
      authenticatorId: text(enrolled, 'authenticatorId'),
      code: codeAt(text(enrolled, 'secret'), service.clock.seconds()),
    };
    return client.post('/v1/totp/confirm', body, here.access);
  },
  'removing one authenticator': ({
    code,
    here,
    authenticatorId,
  }: Awaited<ReturnType<typeof signedInTwice>>) =>
    client.post('/v1/authenticators/disable', { code: code(), authenticatorId }, here.access),
  'disabling all': ({ code, here }: Awaited<ReturnType<typeof signedInTwice>>) =>
    client.post('/v1/authenticators/disable', { code: code() }, here.access),
  'new backup codes': ({ code, here }: Awaited<ReturnType<typeof signedInTwice>>) =>
    client.post('/v1/backup-codes/rotate', { code: code() }, here.access),
};

for (const [change, make] of Object.entries(byUser)) {
  test(`${change}: the session that proved it stays valid, and all others and every challenge end`, async () => {
    const situation = await signedInTwice();
    const answer = await make(situation);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    await assertGoesOn(sessionOf(answer));
    await assertEnded(situation.here);
    await assertEnded(situation.elsewhere);
    const late = { challengeToken: situation.challenge, code: situation.nextCode() };
    assertProblem(await client.post('/v1/auth/verify', late), 401, 'challenge_invalid');
  });
}

for (const operation of ['reset', 'revokeSessions'] as const) {
  test(`an administrator's ${operation} ends every session and challenge`, async () => {
    const { person, here, elsewhere, challenge, nextCode } = await signedInTwice();
    assert.ok((await administrator[operation](person.sub)).status < 300);
    await assertEnded(here);
    await assertEnded(elsewhere);
    const late = { challengeToken: challenge, code: nextCode() };
    assertProblem(await client.post('/v1/auth/verify', late), 401, 'challenge_invalid');
  });
}

test('an operation that does not change the factor ends no session', async () => {
  const { person, here, elsewhere, code, nextCode, wrongCode } = await signedInTwice();
  await client.post('/v1/authenticators/verify', { code: wrongCode() }, here.access);
  await client.post('/v1/authenticators/verify', { code: code() }, here.access);
  await client.post('/v1/authenticators/disable', { code: wrongCode() }, here.access);
  await client.post('/v1/totp/enroll', { code: nextCode() }, here.access);
  await administrator.unlock(person.sub);
  await assertGoesOn(here);
  await assertGoesOn(elsewhere);
});

test('a session opened in the same second as a change, by a login before it, is void', async () => {
  const person = await createPerson(service);
  const { access, refresh, code } = await enrollPerson(service, client, person);
  const answer = await client.post('/v1/authenticators/disable', { code: code() }, access);
  const withoutFactor = await signIn(client, person);
  const enrolled = await client.post(
    '/v1/totp/enroll',
    { password: person.password },
    text(answer, 'accessToken'),
  );
  const body = {
    authenticatorId: text(enrolled, 'authenticatorId'),
    code: codeAt(text(enrolled, 'secret'), service.clock.seconds()),
  };
  const confirmed = await client.post('/v1/totp/confirm', body, text(answer, 'accessToken'));
  await assertGoesOn(sessionOf(confirmed));
  await assertEnded(withoutFactor);
  await assertEnded({ access, refresh });
});
