import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeJwt } from 'jose';
import {
  assertFields,
  assertPrivate,
  assertProblem,
  challengeFor,
  clientOf,
  enrollPerson,
  signIn,
  text,
} from '../support/client.ts';
import { createPerson } from '../support/people.ts';
import { serviceForTests } from '../support/service.ts';
import { storedRecord } from '../support/stored.ts';

const service = await serviceForTests();
const client = clientOf(service);
const verify = (access: string, proof: Record<string, string>) =>
  client.post('/v1/authenticators/verify', proof, access);

test('a code gets an access token with a fresh auth_time, amr and acr', async () => {
  const person = await createPerson(service);
  const { access, nextCode } = await enrollPerson(service, client, person);
  const answer = await verify(access, { code: nextCode() });
  assertFields(answer, 200, ['verified', 'method', 'accessToken', 'expiresIn']);
  assertPrivate(answer);
  assert.equal(answer.body['verified'], true);
  assert.equal(answer.body['method'], 'totp');
  const [before, after] = [decodeJwt(access), decodeJwt(text(answer, 'accessToken'))];
  assert.ok(Number(after['auth_time']) >= Number(before['auth_time']) + 60);
  assert.deepEqual(after['amr'], ['pwd', 'otp', 'mfa']);
  assert.equal(after['acr'], 'urn:countersign:2fa');
  assert.equal(after.sub, person.sub);
  assert.notEqual(after.jti, before.jti);
});

test('a backup code does too, once, and the session stays valid', async () => {
  const { access, refresh, backupCodes } = await enrollPerson(service, client, await createPerson(service));
  const [backupCode = ''] = backupCodes;
  const answer = await verify(access, { backupCode });
  assert.equal(answer.status, 200);
  assert.equal(answer.body['method'], 'backup_code');
  assertProblem(await verify(access, { backupCode }), 401, 'code_rejected');
  assert.equal((await client.post('/v1/auth/refresh', { refreshToken: refresh })).status, 200);
});

test('a code used to sign in cannot step up, nor the other way round', async () => {
  const person = await createPerson(service);
  const { access, code, nextCode } = await enrollPerson(service, client, person);
  const used = code();
  const challengeToken = await challengeFor(client, person);
  assert.equal((await client.post('/v1/auth/verify', { challengeToken, code: used })).status, 200);
  assertProblem(await verify(access, { code: used }), 401, 'code_rejected');
  const next = nextCode();
  assert.equal((await verify(access, { code: next })).status, 200);
  const again = { challengeToken: await challengeFor(client, person), code: next };
  assertProblem(await client.post('/v1/auth/verify', again), 401, 'code_rejected');
});

test('without a second factor a step-up is refused', async () => {
  const { access } = await signIn(client, await createPerson(service));
  assertProblem(await verify(access, { code: '123456' }), 409, 'not_enrolled');
});

test('both or neither of code and backupCode is a 400 and spends no attempt', async () => {
  const person = await createPerson(service);
  const { access, code, backupCodes } = await enrollPerson(service, client, person);
  const before = await storedRecord(service, person);
  const [backupCode = ''] = backupCodes;
  for (const proof of [{ code: code(), backupCode }, {}]) {
    const answer = await verify(access, proof as Record<string, string>);
    assertProblem(answer, 400, 'invalid_request');
    assert.match(text(answer, 'detail'), /exactly one of code and backupCode/);
  }
  assert.deepEqual(await storedRecord(service, person), before);
});
