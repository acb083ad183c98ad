// What an attacker tries with a session that ought to be over: after its token was used, after a change, after logging out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeJwt } from 'jose';
import { administratorOf } from '../support/administrator.ts';
import {
  type Answer,
  assertProblem,
  challengeFor,
  clientOf,
  codeAt,
  signIn,
  text,
} from '../support/client.ts';
import { createPerson } from '../support/people.ts';
import { unthrottled } from '../support/plans.ts';
import { serviceForTests } from '../support/service.ts';
import { storedFactor, storedItem, storedRecord } from '../support/stored.ts';
import { placesOf } from '../support/token-places.ts';
import { enrolledPerson } from '../support/ways.ts';

const service = await serviceForTests(unthrottled);
const client = clientOf(service);
const places = placesOf(client);

const verify = (challengeToken: string, code: string) =>
  client.post('/v1/auth/verify', { challengeToken, code });
const refresh = (refreshToken: string) => client.post('/v1/auth/refresh', { refreshToken });
const familyOf = (refreshToken: string) => storedItem(service, `FAMILY#${decodeJwt(refreshToken)['family']}`);

/** The session is dead here: for management and for refreshing. */
async function assertDead(session: { access: string; refresh: string }, code = '000000'): Promise<void> {
  await places.access(session.access, code);
  assertProblem(await refresh(session.refresh), 401, 'refresh_token_invalid');
}

const sessionOf = (answer: Answer) => ({
  access: text(answer, 'accessToken'),
  refresh: text(answer, 'refreshToken'),
});

test('a refresh token used again ends its family, the newest token too', async () => {
  const person = await createPerson(service);
  const [stolen, other] = [await signIn(client, person), await signIn(client, person)];
  const second = text(await refresh(stolen.refresh), 'refreshToken');
  const newest = text(await refresh(second), 'refreshToken');
  assertProblem(await refresh(second), 401, 'refresh_token_invalid');
  assert.equal((await familyOf(newest))?.['z']?.BOOL, true);
  assertProblem(await refresh(newest), 401, 'refresh_token_invalid');
  assert.equal((await refresh(other.refresh)).status, 200, 'the other session goes on');
});

test('of thirty uses of one refresh token at once one succeeds at most, and the family ends', async () => {
  const session = await signIn(client, await createPerson(service));
  const answers = await Promise.all(Array.from({ length: 30 }, () => refresh(session.refresh)));
  const pairs = answers.filter(({ status }) => status === 200);
  assert.equal(pairs.length, 1, answers.map(({ status }) => status).join());
  assert.equal((await familyOf(session.refresh))?.['z']?.BOOL, true);
  for (const pair of pairs) {
    assertProblem(await refresh(text(pair, 'refreshToken')), 401, 'refresh_token_invalid');
  }
});

test('tokens from before the second factor was switched on or changed are dead, but for the session that proved the change', async () => {
  const person = await createPerson(service);
  const [here, elsewhere] = [await signIn(client, person), await signIn(client, person)];
  const pending = await client.post('/v1/totp/enroll', { password: person.password }, here.access);
  const secret = text(pending, 'secret');
  const codeNow = () => codeAt(secret, service.clock.seconds());
  const confirming = { authenticatorId: text(pending, 'authenticatorId'), code: codeNow() };
  const confirmed = await client.post('/v1/totp/confirm', confirming, here.access);
  let current = sessionOf(confirmed);
  const before = await storedRecord(service, person);
  for (const old of [here, elsewhere]) await assertDead(old);
  assert.deepEqual(await storedRecord(service, person), before, 'a dead session charges nothing');

  const changes = [
    (bearer: string) => client.post('/v1/backup-codes/rotate', { code: codeNow() }, bearer),
    (bearer: string) => client.post('/v1/totp/disable', { code: codeNow() }, bearer),
  ];
  for (const change of changes) {
    service.clock.advance(30);
    const challenge = await challengeFor(client, person);
    const signedIn = sessionOf(await verify(challenge, codeNow()));
    const waiting = await challengeFor(client, person);
    service.clock.advance(30);
    const { generation } = await storedFactor(service, person);
    const next = sessionOf(await change(current.access));
    const after = await storedFactor(service, person);
    assert.notEqual(after.generation, generation);
    for (const old of [current, signedIn]) await assertDead(old);
    service.clock.advance(30);
    assertProblem(await verify(waiting, codeNow()), 401, 'challenge_invalid');
    assert.equal((await client.get('/v1/totp', next.access)).status, 200);
    current = next;
  }
  const refreshed = await refresh(current.refresh);
  assert.equal(refreshed.status, 200);
});

test('a login that raced the switch to a second factor leaves no session behind', async () => {
  for (let round = 0; round < 4; round++) {
    const person = await createPerson(service);
    const { access } = await signIn(client, person);
    const pending = await client.post('/v1/totp/enroll', { password: person.password }, access);
    const code = codeAt(text(pending, 'secret'), service.clock.seconds());
    const body = { authenticatorId: text(pending, 'authenticatorId'), code };
    const login = () =>
      client.post('/v1/auth/login', { username: person.username, password: person.password });
    const [confirmed, ...logins] = await Promise.all([
      client.post('/v1/totp/confirm', body, access),
      ...Array.from({ length: 6 }, login),
    ]);
    assert.equal(confirmed.status, 200);
    for (const raced of logins) {
      if (raced.body['status'] === 'challenge') continue;
      await assertDead(sessionOf(raced));
    }
    assert.equal((await client.get('/v1/totp', text(confirmed, 'accessToken'))).status, 200);
    assert.equal((await storedFactor(service, person)).authenticators.length, 1);
  }
});

test('a refresh that raced the switch to a second factor leaves no session behind', async () => {
  for (let round = 0; round < 4; round++) {
    const person = await createPerson(service);
    const [here, elsewhere] = [await signIn(client, person), await signIn(client, person)];
    const pending = await client.post('/v1/totp/enroll', { password: person.password }, here.access);
    const code = codeAt(text(pending, 'secret'), service.clock.seconds());
    const body = { authenticatorId: text(pending, 'authenticatorId'), code };
    const [raced, confirmed] = await Promise.all([
      refresh(elsewhere.refresh),
      client.post('/v1/totp/confirm', body, here.access),
    ]);
    assert.equal(confirmed.status, 200);
    if (raced.status === 200) await assertDead(sessionOf(raced));
    await assertDead(elsewhere);
    assert.equal((await storedFactor(service, person)).authenticators.length, 1);
  }
});

test('after logging out no refresh token of the session is taken, used before or not', async () => {
  const person = await createPerson(service);
  const logout = (refreshToken: string) => client.post('/v1/auth/logout', { refreshToken });
  const unused = await signIn(client, person);
  assert.equal((await logout(unused.refresh)).status, 204);
  assert.equal((await familyOf(unused.refresh))?.['z']?.BOOL, true);
  assertProblem(await refresh(unused.refresh), 401, 'refresh_token_invalid');

  const used = await signIn(client, person);
  const next = text(await refresh(used.refresh), 'refreshToken');
  assert.equal((await logout(next)).status, 204);
  for (const token of [next, used.refresh]) assertProblem(await refresh(token), 401, 'refresh_token_invalid');
  assert.equal((await familyOf(next))?.['z']?.BOOL, true);
});

test('what an administrator ends is dead at once, challenges included', async () => {
  const { person, access, refresh: refreshToken, code } = await enrolledPerson(service, client);
  const challenge = await challengeFor(client, person);
  assert.equal((await administratorOf(service).revokeSessions(person.sub)).status, 204);
  await assertDead({ access, refresh: refreshToken }, code());
  assertProblem(await verify(challenge, code()), 401, 'challenge_invalid');
  assert.equal((await storedFactor(service, person)).authenticators.length, 1);
});
