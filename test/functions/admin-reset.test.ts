import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADMIN_STATUS, administratorOf } from '../support/administrator.ts';
import {
  assertFields,
  assertPrivate,
  assertProblem,
  challengeFor,
  clientOf,
  enrollByTicket,
  enrollPerson,
  signIn,
  text,
} from '../support/client.ts';
import { createPerson } from '../support/people.ts';
import { serviceForTests } from '../support/service.ts';

const service = await serviceForTests({ limits: { stopAfter: 12 } });
const client = clientOf(service);
const administrator = administratorOf(service);
const refresh = (refreshToken: string) => client.post('/v1/auth/refresh', { refreshToken });

test('a reset removes the factor and gives a ticket, with which the user signs in and enrolls again', async () => {
  const person = await createPerson(service);
  const before = await enrollPerson(service, client, person);
  const answer = await administrator.reset(person.sub, { reason: 'lost phone, case 4711' });
  assertFields(answer, 200, [...ADMIN_STATUS, 'enrollmentTicket']);
  assertPrivate(answer);
  const { lastEvent, lastAdministered, enrollmentTicket, ticketExpiresAt, ...rest } = answer.body;
  assert.deepEqual(rest, {
    enabled: false,
    authenticators: [],
    backupCodesRemaining: 0,
    failures: 0,
    backupFailures: 0,
    lockedUntil: null,
    stopped: false,
    stoppedAt: null,
    enrollmentNeeds: 'ticket',
    lastRevoked: null,
  });
  assert.equal((lastEvent as { type: string }).type, 'admin.reset');
  const { at, ...act } = lastAdministered as { at: number };
  assert.deepEqual(act, {
    type: 'admin.reset',
    by: 'arn:aws:iam::000000000000:user/admin',
    reason: 'lost phone, case 4711',
  });
  assert.equal(ticketExpiresAt, at + 86_400);
  assertProblem(await client.get('/v1/authenticators', before.access), 401, 'token_invalid');
  assertProblem(await refresh(before.refresh), 401, 'refresh_token_invalid');

  const after = await enrollByTicket(service, client, person, String(enrollmentTicket));
  const challengeToken = await challengeFor(client, person);
  const signedIn = await client.post('/v1/auth/verify', { challengeToken, code: after.code() });
  assert.equal(signedIn.status, 200);
  assert.equal((await administrator.status(person.sub)).body['enrollmentNeeds'], null);
});

test('a session opened with a ticket can only enroll, and says so', async () => {
  const person = await createPerson(service);
  await enrollPerson(service, client, person);
  const { enrollmentTicket } = (await administrator.reset(person.sub)).body;
  const challengeToken = await challengeFor(client, person);
  const opened = await client.post('/v1/auth/verify', { challengeToken, enrollmentTicket });
  assert.deepEqual(
    [opened.status, opened.body['method'], opened.body['enrollmentRequired']],
    [200, 'enrollment_ticket', true],
  );
  const access = text(opened, 'accessToken');
  const claims = JSON.parse(Buffer.from(access.split('.')[1] ?? '', 'base64url').toString());
  assert.deepEqual(
    [claims.enrollment_required, claims.amr, claims.acr],
    [true, ['pwd'], 'urn:countersign:1fa'],
  );
  assertProblem(await client.get('/v1/authenticators', access), 403, 'enrollment_required');
  assertProblem(await refresh(text(opened, 'refreshToken')), 403, 'enrollment_required');
});

test('a malformed body, a reason that is too long or an unknown field resets nothing', async () => {
  const person = await createPerson(service);
  const { access } = await enrollPerson(service, client, person);
  for (const body of [{ reason: '' }, { reason: 'x'.repeat(201) }, { reason: 'a\nb' }, { why: 'x' }, []]) {
    assertProblem(await administrator.reset(person.sub, body), 400, 'invalid_request');
  }
  assert.equal((await client.get('/v1/authenticators', access)).status, 200);
});

test('a user without a record is a 404', async () => {
  assertProblem(await administrator.reset('nobody'), 404, 'user_not_found');
});

test('the allowed number of failures in a row stops codes until support acts, despite waits for every lock', async () => {
  const person = await createPerson(service);
  const { wrongCode, code, backupCodes } = await enrollPerson(service, client, person);
  const attempt = async (proof: Record<string, string>) =>
    client.post('/v1/auth/verify', { challengeToken: await challengeFor(client, person), ...proof });
  for (let failures = 1; failures <= 12; failures++) {
    assertProblem(await attempt({ code: wrongCode() }), 401, 'code_rejected');
    service.clock.advance(901);
  }
  const stopped = await attempt({ code: code() });
  assertProblem(stopped, 403, 'factor_stopped');
  assert.equal(stopped.headers.get('retry-after'), null);
  service.clock.advance(40 * 86_400);
  assertProblem(await attempt({ code: code() }), 403, 'factor_stopped');
  assert.equal((await administrator.status(person.sub)).body['stopped'], true);
  assertProblem(await administrator.unlock(person.sub), 403, 'new_password_required');
  assert.equal((await attempt({ backupCode: backupCodes[0] ?? '' })).status, 200);

  const unlocked = await administrator.unlock(person.sub, { passwordChanged: true });
  assert.equal(unlocked.body['stopped'], false);
  assert.equal((await attempt({ code: code() })).status, 200);
});

test('a user who never enrolled also needs the ticket after a reset', async () => {
  const person = await createPerson(service);
  await signIn(client, person);
  await administrator.revokeSessions(person.sub);
  const { enrollmentTicket } = (await administrator.reset(person.sub)).body;
  await enrollByTicket(service, client, person, String(enrollmentTicket));
});
