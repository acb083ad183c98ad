import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assertFields,
  assertPrivate,
  assertProblem,
  clientOf,
  enrollPerson,
  SESSION,
  signIn,
  text,
} from '../support/client.ts';
import { createPerson } from '../support/people.ts';
import { serviceForTests } from '../support/service.ts';
import { storedRecord } from '../support/stored.ts';

const service = await serviceForTests();
const client = clientOf(service);
const rotate = (access: string, body: Record<string, string>) =>
  client.post('/v1/backup-codes/rotate', body, access);

test('a code gets ten new backup codes and voids every older one', async () => {
  const enrolled = await enrollPerson(service, client, await createPerson(service));
  const answer = await rotate(enrolled.access, { code: enrolled.code() });
  assertFields(answer, 200, [...SESSION, 'backupCodes']);
  assertPrivate(answer);
  const codes = answer.body['backupCodes'] as string[];
  assert.equal(new Set([...codes, ...enrolled.backupCodes]).size, 20);
  const access = text(answer, 'accessToken');
  const [old = ''] = enrolled.backupCodes;
  const [fresh = ''] = codes;
  assertProblem(
    await client.post('/v1/authenticators/verify', { backupCode: old }, access),
    401,
    'code_rejected',
  );
  assert.equal((await client.post('/v1/authenticators/verify', { backupCode: fresh }, access)).status, 200);
});

test('a rotation gives ten codes, however many were used', async () => {
  const enrolled = await enrollPerson(service, client, await createPerson(service));
  for (const backupCode of enrolled.backupCodes) {
    assert.equal(
      (await client.post('/v1/authenticators/verify', { backupCode }, enrolled.access)).status,
      200,
    );
  }
  const answer = await rotate(enrolled.access, { code: enrolled.code() });
  const status = await client.get('/v1/authenticators', text(answer, 'accessToken'));
  assert.equal(status.body['backupCodesRemaining'], 10);
});

test('a session alone, a backup code, a wrong code or a used one gets no backup codes', async () => {
  const person = await createPerson(service);
  const { access, code, backupCodes, wrongCode } = await enrollPerson(service, client, person);
  const before = await storedRecord(service, person);
  const [backupCode = ''] = backupCodes;
  assertProblem(await rotate(access, {}), 400, 'invalid_request');
  assertProblem(await rotate(access, { backupCode }), 400, 'invalid_request');
  assert.deepEqual(await storedRecord(service, person), before);
  assertProblem(await rotate(access, { code: wrongCode() }), 401, 'code_rejected');
  const used = code();
  assert.equal((await client.post('/v1/authenticators/verify', { code: used }, access)).status, 200);
  assertProblem(await rotate(access, { code: used }), 401, 'code_rejected');
  assert.equal((await client.post('/v1/authenticators/verify', { backupCode }, access)).status, 200);
});

test('without a second factor a rotation is refused', async () => {
  const { access } = await signIn(client, await createPerson(service));
  assertProblem(await rotate(access, { code: '123456' }), 409, 'not_enrolled');
});
