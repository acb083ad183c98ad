import assert from 'node:assert/strict';
import { test } from 'node:test';
import { administratorOf } from '../support/administrator.ts';
import {
  assertFields,
  assertPrivate,
  assertProblem,
  challengeFor,
  clientOf,
  enrollPerson,
  signIn,
} from '../support/client.ts';
import { createPerson } from '../support/people.ts';
import { serviceForTests } from '../support/service.ts';

const service = await serviceForTests({ limits: { stopAfter: 12 } });
const client = clientOf(service);
const administrator = administratorOf(service);

test('a reset removes the factor; the user signs in with the password and enrols anew', async () => {
  const person = await createPerson(service);
  const { access, refresh } = await enrollPerson(service, client, person);
  const answer = await administrator.reset(person.sub);
  assertFields(answer, 200, [
    'enabled',
    'authenticators',
    'backupCodesRemaining',
    'failures',
    'lockedUntil',
    'stopped',
    'lastEvent',
  ]);
  assertPrivate(answer);
  const { lastEvent, ...rest } = answer.body;
  assert.deepEqual(rest, {
    enabled: false,
    authenticators: [],
    backupCodesRemaining: 0,
    failures: 0,
    lockedUntil: null,
    stopped: false,
  });
  assert.equal((lastEvent as { type: string }).type, 'reset');
  assertProblem(await client.get('/v1/totp', access), 401, 'token_invalid');
  assertProblem(
    await client.post('/v1/auth/refresh', { refreshToken: refresh }),
    401,
    'refresh_token_invalid',
  );
  await enrollPerson(service, client, person);
});

test('somebody of whom nothing is stored is a 404', async () => {
  assertProblem(await administrator.reset('nobody'), 404, 'user_not_found');
});

test('as many failures in a row as are allowed, with every lock waited for, stop the factor until a reset', async () => {
  const person = await createPerson(service);
  const { wrongCode, code } = await enrollPerson(service, client, person);
  const attempt = async (proof: string) =>
    client.post('/v1/auth/verify', { challengeToken: await challengeFor(client, person), code: proof });
  for (let failures = 1; failures <= 12; failures++) {
    assertProblem(await attempt(wrongCode()), 401, 'code_rejected');
    service.clock.advance(901);
  }
  const stopped = await attempt(code());
  assertProblem(stopped, 403, 'factor_stopped');
  assert.equal(stopped.headers.get('retry-after'), null);
  service.clock.advance(40 * 86_400);
  assertProblem(await attempt(code()), 403, 'factor_stopped');
  assert.equal((await administrator.status(person.sub)).body['stopped'], true);
  assertProblem(await administrator.unlock(person.sub), 403, 'factor_stopped');

  assert.equal((await administrator.reset(person.sub)).body['stopped'], false);
  await signIn(client, person);
  const anew = await enrollPerson(service, client, person);
  const challengeToken = await challengeFor(client, person);
  assert.equal((await client.post('/v1/auth/verify', { challengeToken, code: anew.code() })).status, 200);
});
