import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeJwt } from 'jose';
import { login } from '../../core/login.ts';
import { status } from '../../core/status.ts';
import { verify } from '../../core/verify.ts';
import { CLIENT, callerOf, createDeployment, enrolled, NOW, session, signIn } from '../support/deployment.ts';
import { refusal } from '../support/refusal.ts';

test('without a second factor: a session of one', async () => {
  const answer = await signIn(createDeployment(), 'alice', NOW);
  assert.ok(answer.status === 'authenticated');
  assert.equal(answer.totpEnabled, false);
  const { amr, acr, auth_time, exp } = decodeJwt(answer.accessToken);
  assert.deepEqual([amr, acr, auth_time, exp], [['pwd'], 'urn:countersign:1fa', NOW, NOW + 300]);
});

test('with one: a challenge and no token of any other kind', async () => {
  const deployment = createDeployment();
  await enrolled(deployment);
  const answer = await signIn(deployment, 'alice', NOW);
  assert.deepEqual(Object.keys(answer).toSorted(), ['challengeToken', 'expiresIn', 'methods', 'status']);
  assert.ok(answer.status === 'challenge');
  assert.deepEqual([answer.expiresIn, [...answer.methods]], [120, ['totp', 'backup_code']]);
});

test('a stranger without the password cannot lock the owner', async () => {
  const deployment = createDeployment();
  const { caller } = await enrolled(deployment);
  const before = await deployment.records.read(caller.user);
  for (let guess = 0; guess < 200; guess++) {
    const input = { username: 'alice', password: 'wrong', client: CLIENT, now: NOW };
    await assert.rejects(login(deployment, input), refusal('invalid_credentials'));
  }
  assert.deepEqual(await deployment.records.read(caller.user), before);
});

test('the right password clears no failures', async () => {
  const deployment = createDeployment();
  const { caller, app } = await enrolled(deployment);
  const wrong = { code: app.wrongCodeAt(NOW) };
  await assert.rejects(
    verify(deployment, { caller, proof: wrong, client: CLIENT, now: NOW }),
    refusal('code_rejected'),
  );
  await signIn(deployment, 'alice', NOW);
  assert.equal((await deployment.records.read(caller.user)).failures, 1);
});

test('a record that cannot be read lets nobody in', async () => {
  const deployment = createDeployment();
  const down = new Error('down');
  const records = { ...deployment.records, read: () => Promise.reject(down) };
  await assert.rejects(signIn({ ...deployment, records }, 'alice', NOW), down);
});

test('where a second factor is required, the access token itself says that it can do nothing but enroll', async () => {
  const deployment = createDeployment({ enrollment: { requiredAfterDays: 0 } });
  const { accessToken, caller, enrollmentRequired } = await session(deployment, 'alice', NOW);
  assert.deepEqual([enrollmentRequired, caller.enrollmentRequired], [true, true]);
  assert.deepEqual(await callerOf(deployment, accessToken, NOW), caller);
  await assert.rejects(status(deployment, caller), refusal('enrollment_required'));
});
