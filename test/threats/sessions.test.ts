// Attacks with sessions that have ended: after a refresh, after a change of the second factor, after logout.
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

/** The longest grace allowed, in seconds: on a busy machine concurrent requests may be seconds apart. */
const GRACE = 60;
const AFTER_GRACE = GRACE + 1;

const service = await serviceForTests({ ...unthrottled, lifetimes: { refreshGrace: GRACE } });
const client = clientOf(service);
const places = placesOf(client);

const verify = (challengeToken: string, code: string) =>
  client.post('/v1/auth/verify', { challengeToken, code });
const refresh = (refreshToken: string) => client.post('/v1/auth/refresh', { refreshToken });
const familyOf = (refreshToken: string) => storedItem(service, `FAMILY#${decodeJwt(refreshToken)['family']}`);

/** Asserts that the session is void here, for management and for refreshing. */
async function assertDead(session: { access: string; refresh: string }, code = '000000'): Promise<void> {
  await places.access(session.access, code);
  assertProblem(await refresh(session.refresh), 401, 'refresh_token_invalid');
}

const sessionOf = (answer: Answer) => ({
  access: text(answer, 'accessToken'),
  refresh: text(answer, 'refreshToken'),
});

test('reusing a refresh token ends its family, including the newest token', async () => {
  const person = await createPerson(service);
  const [stolen, other] = [await signIn(client, person), await signIn(client, person)];
  const second = text(await refresh(stolen.refresh), 'refreshToken');
  const newest = text(await refresh(second), 'refreshToken');
  service.clock.advance(AFTER_GRACE);
  assertProblem(await refresh(second), 401, 'refresh_token_invalid');
  assert.equal((await familyOf(newest))?.['z']?.BOOL, true);
  assertProblem(await refresh(newest), 401, 'refresh_token_invalid');
  assert.equal((await refresh(other.refresh)).status, 200, 'the other session stays valid');
});

test('at most two of thirty concurrent uses of a refresh token succeed, both at one place in the family, and the family ends', async () => {
  const session = await signIn(client, await createPerson(service));
  const answers = await Promise.all(Array.from({ length: 30 }, () => refresh(session.refresh)));
  const pairs = answers.filter(({ status }) => status === 200);
  assert.ok(pairs.length === 1 || pairs.length === 2, answers.map(({ status }) => status).join());
  for (const refused of answers.filter((answer) => !pairs.includes(answer)))
    assertProblem(refused, 401, 'refresh_token_invalid');
  assert.equal((await familyOf(session.refresh))?.['z']?.BOOL, true);
  for (const pair of pairs) {
    assert.equal(decodeJwt(text(pair, 'refreshToken'))['sequence'], 1);
    assertProblem(await refresh(text(pair, 'refreshToken')), 401, 'refresh_token_invalid');
  }
});

test('two tabs that refresh at once both keep their session', async () => {
  for (let round = 0; round < 4; round++) {
    let { refresh: shared } = await signIn(client, await createPerson(service));
    for (let times = 0; times < 3; times++) {
      const both = await Promise.all([refresh(shared), refresh(shared)]);
      for (const answer of both) {
        assert.equal(answer.status, 200, JSON.stringify(answer.body));
        assert.equal((await client.get('/v1/authenticators', text(answer, 'accessToken'))).status, 200);
      }
      // The tabs share their storage, so both continue with the token stored last.
      shared = text(both[times % 2] ?? assert.fail(), 'refreshToken');
      service.clock.advance(300);
    }
    assert.equal((await familyOf(shared))?.['z'], undefined);
  }
});

test('the grace applies once, to the same client, and only to the previous token', async () => {
  const person = await createPerson(service);
  const session = await signIn(client, person);
  const second = text(await refresh(session.refresh), 'refreshToken');

  // A request with another client's API key gets nothing and does not use the grace up.
  const before = await familyOf(second);
  const other = clientOf(service, service.local.limitedApiKey);
  const stolen = await other.post('/v1/auth/refresh', { refreshToken: session.refresh });
  assertProblem(stolen, 401, 'refresh_token_invalid');
  assert.deepEqual(await familyOf(second), before);

  const granted = await refresh(session.refresh);
  assert.equal(granted.status, 200);
  assert.equal(decodeJwt(text(granted, 'refreshToken'))['sequence'], decodeJwt(second)['sequence']);
  assert.notEqual((await familyOf(second))?.['g'], undefined);
  assertProblem(await refresh(session.refresh), 401, 'refresh_token_invalid');
  assert.equal((await familyOf(second))?.['z']?.BOOL, true);
  assertProblem(await refresh(second), 401, 'refresh_token_invalid');

  const older = await signIn(client, person);
  const newest = text(await refresh(text(await refresh(older.refresh), 'refreshToken')), 'refreshToken');
  assertProblem(await refresh(older.refresh), 401, 'refresh_token_invalid');
  assert.equal((await familyOf(newest))?.['z']?.BOOL, true);
  assertProblem(await refresh(newest), 401, 'refresh_token_invalid');
});

test('after the grace a replayed refresh token ends the family for the thief and the owner', async () => {
  const person = await createPerson(service);
  // The thief refreshes after the grace.
  const late = await signIn(client, person);
  const owners = text(await refresh(late.refresh), 'refreshToken');
  service.clock.advance(AFTER_GRACE);
  assertProblem(await refresh(late.refresh), 401, 'refresh_token_invalid');
  assert.equal((await familyOf(owners))?.['z']?.BOOL, true);
  assertProblem(await refresh(owners), 401, 'refresh_token_invalid');

  // The thief used the grace. Then whoever refreshes second causes the replay.
  for (const first of [0, 1]) {
    const raced = await signIn(client, person);
    const [owner, thief] = [await refresh(raced.refresh), await refresh(raced.refresh)];
    assert.deepEqual([owner.status, thief.status], [200, 200]);
    const both = [text(owner, 'refreshToken'), text(thief, 'refreshToken')];
    service.clock.advance(300);
    const next = text(await refresh(both[first] ?? ''), 'refreshToken');
    service.clock.advance(AFTER_GRACE);
    assertProblem(await refresh(both[1 - first] ?? ''), 401, 'refresh_token_invalid');
    assert.equal((await familyOf(next))?.['z']?.BOOL, true);
    assertProblem(await refresh(next), 401, 'refresh_token_invalid');
  }
});

test('tokens from before the second factor was switched on or changed are void, except in the session that proved the change', async () => {
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
  assert.deepEqual(await storedRecord(service, person), before, 'a void session counts no failure');

  const changes = [
    (bearer: string) => client.post('/v1/backup-codes/rotate', { code: codeNow() }, bearer),
    (bearer: string) => client.post('/v1/authenticators/disable', { code: codeNow() }, bearer),
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
    assert.equal((await client.get('/v1/authenticators', next.access)).status, 200);
    current = next;
  }
  const refreshed = await refresh(current.refresh);
  assert.equal(refreshed.status, 200);
});

test('a login that races the switch to a second factor leaves no session behind', async () => {
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
    assert.equal((await client.get('/v1/authenticators', text(confirmed, 'accessToken'))).status, 200);
    assert.equal((await storedFactor(service, person)).authenticators.length, 1);
  }
});

test('a refresh that races the switch to a second factor leaves no session behind', async () => {
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

test('after logout no refresh token of the session is accepted, whether used before or not', async () => {
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

test("an administrator's revocation voids sessions and challenges at once", async () => {
  const { person, access, refresh: refreshToken, code } = await enrolledPerson(service, client);
  const challenge = await challengeFor(client, person);
  assert.equal((await administratorOf(service).revokeSessions(person.sub)).status, 204);
  await assertDead({ access, refresh: refreshToken }, code());
  assertProblem(await verify(challenge, code()), 401, 'challenge_invalid');
  assert.equal((await storedFactor(service, person)).authenticators.length, 1);
});
