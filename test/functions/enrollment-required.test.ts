// A mandatory second factor at Countersign's own login.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeJwt } from 'jose';
import { type Answer, assertProblem, clientOf, enrollPerson, type Person, text } from '../support/client.ts';
import { createPerson } from '../support/people.ts';
import { serviceForTests } from '../support/service.ts';
import { callsDuring, storedFactor } from '../support/stored.ts';

const DAY = 86_400;
const service = await serviceForTests({ enrollment: { requiredAfterDays: 14 } });
const client = clientOf(service);
const logIn = ({ username, password }: Person) => client.post('/v1/auth/login', { username, password });
const claimOf = (answer: Answer) => decodeJwt(text(answer, 'accessToken'))['enrollment_required'];

test('from the configured days after the first sign-in, a session without a second factor says that it must enroll', async () => {
  const person = await createPerson(service);
  const first = await logIn(person);
  assert.deepEqual([claimOf(first), first.body['enrollmentRequired']], [undefined, undefined]);
  service.clock.advance(14 * DAY - 60);
  assert.equal(claimOf(await logIn(person)), undefined);
  service.clock.advance(120);
  const late = await logIn(person);
  assert.deepEqual([claimOf(late), late.body['enrollmentRequired']], [true, true]);
});

test('such a session can only enroll, and the session after enrolling is unrestricted', async () => {
  const person = await createPerson(service);
  const early = await logIn(person);
  service.clock.advance(15 * DAY);
  const late = await logIn(person);
  assertProblem(
    await client.get('/v1/authenticators', text(late, 'accessToken')),
    403,
    'enrollment_required',
  );
  const refreshToken = text(late, 'refreshToken');
  assertProblem(await client.post('/v1/auth/refresh', { refreshToken }), 403, 'enrollment_required');
  assertProblem(
    await client.post('/v1/auth/refresh', { refreshToken: text(early, 'refreshToken') }),
    401,
    'refresh_token_invalid',
  );
  const { access, refresh } = await enrollPerson(service, client, person);
  assert.equal(decodeJwt(access)['enrollment_required'], undefined);
  assert.equal((await client.get('/v1/authenticators', access)).status, 200);
  assert.equal((await client.post('/v1/auth/refresh', { refreshToken: refresh })).status, 200);
});

test('a session from before the required date cannot be refreshed after it', async () => {
  const tomorrow = new Date(Date.now() + DAY * 1000).toISOString().slice(0, 10);
  const other = await serviceForTests({
    enrollment: { requiredAfter: tomorrow },
    lifetimes: { refreshToken: 7 * DAY },
  });
  const app = clientOf(other);
  const { username, password } = await createPerson(other);
  const login = await app.post('/v1/auth/login', { username, password });
  assert.equal(login.body['enrollmentRequired'], undefined, JSON.stringify(login.body));
  const early = await app.post('/v1/auth/refresh', { refreshToken: text(login, 'refreshToken') });
  assert.equal(early.status, 200);
  other.clock.advance(3 * DAY);
  const refreshToken = text(early, 'refreshToken');
  assertProblem(await app.post('/v1/auth/refresh', { refreshToken }), 403, 'enrollment_required');
  assert.equal((await app.post('/v1/auth/logout', { refreshToken })).status, 204, 'it can log out');
});

test('with zero days, enrollment is required at once', async () => {
  const other = await serviceForTests({ enrollment: { requiredAfterDays: 0 } });
  const { username, password } = await createPerson(other);
  const login = await clientOf(other).post('/v1/auth/login', { username, password });
  assert.equal(login.body['enrollmentRequired'], true, JSON.stringify(login.body));
});

test('a user who disables the last authenticator must enroll again, and the session says so', async () => {
  const person = await createPerson(service);
  await logIn(person);
  service.clock.advance(15 * DAY);
  const { access, nextCode } = await enrollPerson(service, client, person);
  const disabled = await client.post('/v1/authenticators/disable', { code: nextCode() }, access);
  assert.equal(claimOf(disabled), true);
  assertProblem(
    await client.get('/v1/authenticators', text(disabled, 'accessToken')),
    403,
    'enrollment_required',
  );
});

test('the first sign-in is stored once', async () => {
  const person = await createPerson(service);
  const calls = async () =>
    (await callsDuring(service, () => logIn(person))).filter((call) => call === 'dynamodb:UpdateItem');
  assert.deepEqual(await calls(), ['dynamodb:UpdateItem']);
  const { askedToEnrollAt } = await storedFactor(service, person);
  assert.ok(askedToEnrollAt);
  assert.deepEqual(await calls(), []);
});

test('a user with a second factor gets a challenge, whatever the day', async () => {
  const person = await createPerson(service);
  await enrollPerson(service, client, person);
  service.clock.advance(30 * DAY);
  assert.equal((await logIn(person)).body['status'], 'challenge');
});
