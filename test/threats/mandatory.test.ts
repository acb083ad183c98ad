// A user who must have a second factor tries to go without one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeJwt } from 'jose';
import { assertProblem, clientOf, enrollPerson, text } from '../support/client.ts';
import { createPerson } from '../support/people.ts';
import { unthrottled } from '../support/plans.ts';
import { serviceForTests } from '../support/service.ts';
import { storedFactor } from '../support/stored.ts';

const service = await serviceForTests({ ...unthrottled, enrollment: { requiredAfter: '2020-01-01' } });
const client = clientOf(service);

test('if a second factor is required, a session without one can only enroll, and neither refreshing nor disabling avoids that', async () => {
  const person = await createPerson(service);
  const { username, password } = person;
  const login = await client.post('/v1/auth/login', { username, password });
  const access = text(login, 'accessToken');
  assert.deepEqual(
    [login.body['enrollmentRequired'], decodeJwt(access)['enrollment_required'], decodeJwt(access)['acr']],
    [true, true, 'urn:countersign:1fa'],
  );
  assertProblem(await client.get('/v1/authenticators', access), 403, 'enrollment_required');
  const refreshToken = text(login, 'refreshToken');
  assertProblem(await client.post('/v1/auth/refresh', { refreshToken }), 403, 'enrollment_required');
  for (const path of ['/v1/authenticators/verify', '/v1/authenticators/disable', '/v1/backup-codes/rotate'])
    assertProblem(await client.post(path, { code: '123456' }, access), 409, 'not_enrolled');

  const { access: full, nextCode } = await enrollPerson(service, client, person);
  assert.equal((await client.get('/v1/authenticators', full)).status, 200);
  const disabled = await client.post('/v1/authenticators/disable', { code: nextCode() }, full);
  assert.deepEqual((await storedFactor(service, person)).authenticators, []);
  const left = text(disabled, 'accessToken');
  assert.equal(decodeJwt(left)['enrollment_required'], true);
  assertProblem(await client.get('/v1/authenticators', left), 403, 'enrollment_required');
  const again = text(disabled, 'refreshToken');
  assertProblem(await client.post('/v1/auth/refresh', { refreshToken: again }), 403, 'enrollment_required');
});
