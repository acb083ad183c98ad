import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADMIN_STATUS, administratorOf } from '../support/administrator.ts';
import {
  assertFields,
  assertPrivate,
  assertProblem,
  clientOf,
  enrollPerson,
  signIn,
} from '../support/client.ts';
import { createPerson } from '../support/people.ts';
import { serviceForTests } from '../support/service.ts';
import { storedRecord } from '../support/stored.ts';

const service = await serviceForTests();
const client = clientOf(service);
const administrator = administratorOf(service);

test('support sees the factor, its failures, its lock and what happened last', async () => {
  const person = await createPerson(service);
  const { access, wrongCode } = await enrollPerson(service, client, person);
  const before = await administrator.status(person.sub);
  assertFields(before, 200, ADMIN_STATUS);
  assertPrivate(before);
  const { enabled, backupCodesRemaining, failures, lockedUntil, stopped } = before.body;
  assert.deepEqual(
    { enabled, backupCodesRemaining, failures, lockedUntil, stopped },
    { enabled: true, backupCodesRemaining: 10, failures: 0, lockedUntil: null, stopped: false },
  );
  const [authenticator = {}] = before.body['authenticators'] as object[];
  assert.deepEqual(Object.keys(authenticator).sort(), ['createdAt', 'id', 'kind', 'lastUsedAt', 'name']);
  assert.equal((before.body['lastEvent'] as { type: string }).type, 'authenticator.added');

  for (let attempts = 0; attempts < 5; attempts++) {
    await client.post('/v1/authenticators/verify', { code: wrongCode() }, access);
  }
  const after = await administrator.status(person.sub);
  assert.equal(after.body['failures'], 5);
  const left = Number(after.body['lockedUntil']) - service.clock.seconds();
  assert.ok(left > 25 && left <= 30, `${left}`);
  assert.equal((after.body['lastEvent'] as { type: string }).type, 'step_up.refused');
});

test('reading the status changes nothing', async () => {
  const person = await createPerson(service);
  await enrollPerson(service, client, person);
  const before = await storedRecord(service, person);
  await administrator.status(person.sub);
  assert.deepEqual(await storedRecord(service, person), before);
});

test('a user without a record is a 404', async () => {
  const person = await createPerson(service);
  await signIn(client, person);
  assertProblem(await administrator.status(person.sub), 404, 'user_not_found');
  assertProblem(await administrator.status('nobody'), 404, 'user_not_found');
});

test('the realm must be a configured one, and a user id has 1 to 255 characters', async () => {
  const person = await createPerson(service);
  await enrollPerson(service, client, person);
  const path = `/v1/admin/users/${person.sub}`;
  assert.equal((await administrator.call('GET', `${path}?realm=users`)).status, 200);
  assertProblem(await administrator.call('GET', `${path}?realm=others`), 400, 'invalid_request');
  assertProblem(await administrator.status('x'.repeat(256)), 400, 'invalid_request');
});

test('the user id is the decoded path, whatever it contains', async () => {
  for (const sub of ['auth0|1', 'a b', 'ü', '日本', 'a%2Fb', '100%', 'x#users#y', '../ada']) {
    const before = await administrator.revokeSessions(sub);
    assert.equal(before.status, 204, sub);
    assert.ok(await storedRecord(service, { sub }), sub);
  }
});
