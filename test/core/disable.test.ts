import assert from 'node:assert/strict';
import { test } from 'node:test';
import { disable } from '../../core/disable.ts';
import { enroll } from '../../core/enroll.ts';
import type { Proof } from '../../core/proof.ts';
import { status } from '../../core/status.ts';
import { verify } from '../../core/verify.ts';
import {
  addAuthenticator,
  CLIENT,
  callerOf,
  createDeployment,
  type Deployment,
  enrolled,
  NOW,
  type Person,
  signIn,
} from '../support/deployment.ts';
import { withTwoApps } from '../support/paths.ts';
import { refusal } from '../support/refusal.ts';

const remove = (d: Deployment, { caller }: Person, proof: Proof, authenticatorId?: string, now = NOW) =>
  disable(d, { caller, proof, authenticatorId, client: CLIENT, now });

test('one authenticator by its id: the others and the backup codes stay', async () => {
  const [deployment, person] = await withTwoApps();
  const { enabled, accessToken } = await remove(
    deployment,
    person,
    { code: person.app.codeAt(NOW) },
    person.spareId,
  );
  assert.equal(enabled, true);
  const left = await status(deployment, await callerOf(deployment, accessToken, NOW));
  assert.deepEqual(
    left.authenticators.map(({ id }) => id),
    [person.authenticatorId],
  );
  assert.equal(left.backupCodesRemaining, 10);
});

test('without an id: all authenticators, the backup codes and what is pending', async () => {
  const [deployment, person] = await withTwoApps();
  const proof = { code: person.app.codeAt(NOW - 30) };
  await enroll(deployment, { caller: person.caller, name: 'Third', proof, client: CLIENT, now: NOW - 30 });
  const { enabled } = await remove(deployment, person, { code: person.app.codeAt(NOW) });
  assert.equal(enabled, false);
  const factor = await deployment.records.read(person.caller.user);
  assert.deepEqual([factor.authenticators, factor.backupCodes, factor.pending], [[], undefined, undefined]);
  assert.equal((await signIn(deployment, 'alice', NOW)).status, 'authenticated');
});

test('the last authenticator by its id is all: no backup codes are left behind', async () => {
  const deployment = createDeployment();
  const person = await enrolled(deployment);
  const backupCode = person.backupCodes[0] ?? '';
  const { enabled } = await remove(deployment, person, { backupCode }, person.authenticatorId);
  assert.equal(enabled, false);
  const { authenticators, backupCodes } = await deployment.records.read(person.caller.user);
  assert.deepEqual([authenticators, backupCodes], [[], undefined]);
});

test('an authenticator that is not there: refused, the code unspent and nothing charged', async () => {
  const deployment = createDeployment();
  const person = await enrolled(deployment);
  const proof = { code: person.app.codeAt(NOW) };
  await assert.rejects(remove(deployment, person, proof, 'another'), refusal('authenticator_not_found'));
  await verify(deployment, { caller: person.caller, proof, client: CLIENT, now: NOW });
});

test('a wrong code removes nothing and is charged', async () => {
  const deployment = createDeployment();
  const person = await enrolled(deployment);
  await assert.rejects(
    remove(deployment, person, { code: person.app.wrongCodeAt(NOW) }),
    refusal('code_rejected'),
  );
  const { authenticators, failures } = await deployment.records.read(person.caller.user);
  assert.deepEqual([authenticators.length, failures], [1, 1]);
});

test('the record stays: older sessions are void, and the failures go with what they were guesses at', async () => {
  const deployment = createDeployment();
  const person = await enrolled(deployment);
  const wrong = { code: person.app.wrongCodeAt(NOW) };
  await assert.rejects(remove(deployment, person, wrong), refusal('code_rejected'));
  await remove(deployment, person, { code: person.app.codeAt(NOW) });
  await assert.rejects(status(deployment, person.caller), refusal('token_invalid'));
  const { recentFailures, generation } = await deployment.records.read(person.caller.user);
  assert.deepEqual(recentFailures, []);
  assert.notEqual(generation, person.caller.generation);
});

test('backup codes from before are dead after a new enrollment', async () => {
  const deployment = createDeployment();
  const person = await enrolled(deployment);
  await remove(deployment, person, { code: person.app.codeAt(NOW) });
  const again = await enrolled(deployment, 'alice', NOW + 60);
  const proof = { backupCode: person.backupCodes[0] ?? '' };
  const use = verify(deployment, { caller: again.caller, proof, client: CLIENT, now: NOW + 60 });
  await assert.rejects(use, refusal('code_rejected'));
});

test('in a stop the owner replaces what was guessed at, with backup codes, and is never without a second factor', async () => {
  const deployment = createDeployment();
  const person = await enrolled(deployment);
  const { user } = person.caller;
  const factor = await deployment.records.read(user);
  deployment.records.put(user, { ...factor, failures: 100, stoppedAt: NOW - 1 });
  const [first = '', second = '', third = ''] = person.backupCodes;
  const code = { code: person.app.codeAt(NOW) };
  await assert.rejects(remove(deployment, person, code), refusal('factor_stopped'));
  for (const authenticatorId of [undefined, person.authenticatorId]) {
    const last = remove(deployment, person, { backupCode: first }, authenticatorId);
    await assert.rejects(last, refusal('factor_stopped'));
  }
  assert.equal((await deployment.records.read(user)).backupCodes?.digests.length, 10, 'nothing is charged');

  const added = await addAuthenticator(deployment, person.caller, { backupCode: second }, NOW, 'New phone');
  assert.equal((await deployment.records.read(user)).stoppedAt, NOW - 1);
  const owner = { ...person, ...added };
  await remove(deployment, owner, { backupCode: third }, person.authenticatorId);
  const { failures, stoppedAt, authenticators } = await deployment.records.read(user);
  assert.deepEqual([failures, stoppedAt, authenticators.length], [0, undefined, 1]);
});

test('an authenticator from before the stop keeps it, whichever of them goes', async () => {
  const deployment = createDeployment();
  const person = await enrolled(deployment);
  const { user } = person.caller;
  const added = await addAuthenticator(
    deployment,
    person.caller,
    { backupCode: person.backupCodes[0] ?? '' },
    NOW - 60,
    'Spare',
  );
  const factor = await deployment.records.read(user);
  deployment.records.put(user, { ...factor, failures: 100, stoppedAt: NOW - 60 });
  const proof = { backupCode: person.backupCodes[1] ?? '' };
  await remove(deployment, { ...person, ...added }, proof, person.authenticatorId);
  assert.equal((await deployment.records.read(user)).stoppedAt, NOW - 60);
});

test('without a second factor there is nothing to disable', async () => {
  const deployment = createDeployment();
  const person = await enrolled(deployment);
  const { accessToken } = await remove(deployment, person, { code: person.app.codeAt(NOW) });
  const caller = await callerOf(deployment, accessToken, NOW);
  await assert.rejects(
    remove(deployment, { ...person, caller }, { code: '123456' }),
    refusal('not_enrolled'),
  );
});
