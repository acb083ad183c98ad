import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADMIN_STATUS, administratorOf } from '../support/administrator.ts';
import { assertFields, assertPrivate, assertProblem, clientOf, enrollPerson } from '../support/client.ts';
import { createPerson } from '../support/people.ts';
import { serviceForTests } from '../support/service.ts';

const service = await serviceForTests();
const client = clientOf(service);
const administrator = administratorOf(service);

test('unlocking lifts the lock and clears the failures in a row', async () => {
  const person = await createPerson(service);
  const { access, code, wrongCode } = await enrollPerson(service, client, person);
  const verify = (proof: string) => client.post('/v1/authenticators/verify', { code: proof }, access);
  for (let failures = 0; failures < 5; failures++) await verify(wrongCode());
  assertProblem(await verify(code()), 429, 'too_many_attempts');

  const answer = await administrator.unlock(person.sub);
  assertFields(answer, 200, ADMIN_STATUS);
  assertPrivate(answer);
  assert.equal(answer.body['failures'], 0);
  assert.equal(answer.body['lockedUntil'], null);
  assert.equal((answer.body['lastEvent'] as { type: string }).type, 'account.unlocked');
  for (let failures = 0; failures < 4; failures++) {
    assertProblem(await verify(wrongCode()), 401, 'code_rejected');
  }
  assert.equal((await verify(code())).status, 200);
});

test('unlocking ends no session', async () => {
  const person = await createPerson(service);
  const { access } = await enrollPerson(service, client, person);
  assert.equal((await administrator.unlock(person.sub)).status, 200);
  assert.equal((await client.get('/v1/authenticators', access)).status, 200);
});

test('a user without a record is a 404', async () => {
  assertProblem(await administrator.unlock('nobody'), 404, 'user_not_found');
});
