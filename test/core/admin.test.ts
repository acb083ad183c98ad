import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adminReset, adminRevokeSessions, adminStatus, adminUnlock } from '../../core/admin.ts';
import { confirm } from '../../core/confirm.ts';
import { enroll } from '../../core/enroll.ts';
import { status } from '../../core/status.ts';
import { verify } from '../../core/verify.ts';
import { scan } from '../support/authenticator-app.ts';
import {
  CLIENT,
  createDeployment,
  type Deployment,
  enrolled,
  NOW,
  PASSWORD,
  session,
  signIn,
} from '../support/deployment.ts';
import { refusal } from '../support/refusal.ts';

async function withFailures(failures: number) {
  const deployment = createDeployment();
  const person = await enrolled(deployment);
  const { user } = person.caller;
  const factor = await deployment.records.read(user);
  deployment.records.put(user, { ...factor, failures, lockedUntil: NOW + 60 });
  return { deployment, person, user };
}

test('status tells failures, lock, stop and the last event, and no secret', async () => {
  const { deployment, user, person } = await withFailures(7);
  assert.deepEqual(await adminStatus(deployment, user, NOW), {
    enabled: true,
    authenticators: [
      { id: person.authenticatorId, name: 'Phone', createdAt: NOW - 300, lastUsedAt: NOW - 300 },
    ],
    backupCodesRemaining: 10,
    failures: 7,
    lockedUntil: NOW + 60,
    stopped: false,
    lastEvent: { type: 'confirmed', at: NOW - 300 },
  });
  assert.equal((await adminStatus(deployment, user, NOW + 60)).lockedUntil, null);
});

test('of somebody of whom nothing is stored nothing is known', async () => {
  const { deployment } = await withFailures(0);
  const nobody = { realm: 'users', sub: 'nobody' };
  for (const operation of [adminStatus, adminUnlock, adminReset]) {
    await assert.rejects(operation(deployment, nobody, NOW), refusal('user_not_found'));
  }
  assert.equal((await deployment.records.read(nobody)).writtenBy, undefined);
});

test('unlock ends a lock at once; sessions and the failures of 30 days stay', async () => {
  const { deployment, person, user } = await withFailures(9);
  const factor = await deployment.records.read(user);
  deployment.records.put(user, {
    ...factor,
    recentFailures: [{ span: Math.floor(NOW / 518_400), count: 9 }],
  });
  const unlocked = await adminUnlock(deployment, user, NOW);
  assert.deepEqual(
    [unlocked.failures, unlocked.lockedUntil, unlocked.lastEvent?.type],
    [0, null, 'unlocked'],
  );
  const { recentFailures } = await deployment.records.read(user);
  assert.equal(recentFailures[0]?.count, 9);
  await verify(deployment, {
    caller: person.caller,
    proof: { code: person.app.codeAt(NOW) },
    client: CLIENT,
    now: NOW,
  });
});

test('unlock brings no spent code back', async () => {
  const { deployment, person, user } = await withFailures(9);
  await adminUnlock(deployment, user, NOW - 300);
  const proof = { code: person.app.codeAt(NOW - 300) };
  const use = verify(deployment, { caller: person.caller, proof, client: CLIENT, now: NOW - 300 });
  await assert.rejects(use, refusal('code_rejected'));
});

test('a stopped factor is not unlocked, only reset', async () => {
  const { deployment, user } = await withFailures(100);
  assert.equal((await adminStatus(deployment, user, NOW)).stopped, true);
  await assert.rejects(adminUnlock(deployment, user, NOW), refusal('factor_stopped'));
  const reset = await adminReset(deployment, user, NOW);
  assert.deepEqual(
    [reset.enabled, reset.stopped, reset.failures, reset.lockedUntil],
    [false, false, 0, null],
  );
});

test('a factor stopped by 300 failures within 30 days is free again after its reset', async () => {
  const { deployment, user } = await withFailures(0);
  const factor = await deployment.records.read(user);
  const recentFailures = [{ span: Math.floor(NOW / 518_400), count: 300 }];
  deployment.records.put(user, { ...factor, recentFailures });
  assert.equal((await adminStatus(deployment, user, NOW)).stopped, true);
  await adminReset(deployment, user, NOW);
  await enrolled(deployment, 'alice', NOW + 1);
  assert.equal((await adminStatus(deployment, user, NOW + 1)).stopped, false);
});

test('reset removes the factor, its backup codes and what is pending, ends every session, and the user enrols anew', async () => {
  const { deployment, person, user } = await withFailures(100);
  await adminReset(deployment, user, NOW);
  const { authenticators, backupCodes, pending } = await deployment.records.read(user);
  assert.deepEqual([authenticators, backupCodes, pending], [[], undefined, undefined]);
  await assert.rejects(status(deployment, person.caller), refusal('token_invalid'));
  const again = await enrolled(deployment, 'alice', NOW + 1);
  assert.equal(again.backupCodes.length, 10);
});

test('revoking ends every session and leaves the factor as it is', async () => {
  const { deployment, person, user } = await withFailures(2);
  await adminRevokeSessions(deployment, user, NOW);
  await assert.rejects(status(deployment, person.caller), refusal('token_invalid'));
  const { authenticators, failures, lockedUntil, backupCodes } = await deployment.records.read(user);
  assert.deepEqual(
    [authenticators.length, failures, lockedUntil, backupCodes?.digests.length],
    [1, 2, NOW + 60, 10],
  );
  assert.equal((await signIn(deployment, 'alice', NOW)).status, 'challenge');
});

test('revoking ends the sessions of somebody without a second factor too', async () => {
  const deployment = createDeployment();
  const { caller } = await session(deployment, 'alice', NOW);
  await adminRevokeSessions(deployment, caller.user, NOW);
  await assert.rejects(status(deployment, caller), refusal('token_invalid'));
  await status(deployment, (await session(deployment, 'alice', NOW)).caller);
});

/** Before each of so many writes somebody else's comes in between. */
function besieged(deployment: Deployment, writes: number): Deployment {
  let between = 0;
  const replace: Deployment['records']['replace'] = async (user, ...write) => {
    const stored = await deployment.records.read(user);
    if (between++ < writes) await deployment.records.replace(user, stored, { ...stored, pending: undefined });
    return deployment.records.replace(user, ...write);
  };
  return { ...deployment, records: { ...deployment.records, replace } };
}

test('who writes without end keeps no session: revoking and resetting outlast it, up to a conflict', async () => {
  const { deployment, user } = await withFailures(1);
  for (const end of [adminRevokeSessions, adminReset]) {
    const { generation } = await deployment.records.read(user);
    await end(besieged(deployment, 20), user, NOW);
    const ended = await deployment.records.read(user);
    assert.notEqual(ended.generation, generation);
    await assert.rejects(end(besieged(deployment, 21), user, NOW), refusal('conflict'));
    assert.equal((await deployment.records.read(user)).generation, ended.generation);
  }
});

test('an administrator and a user at once: one wins whole', async () => {
  const { deployment, person, user } = await withFailures(0);
  const proof = { code: person.app.codeAt(NOW + 60) };
  const outcomes = await Promise.allSettled([
    adminReset(deployment, user, NOW + 60),
    verify(deployment, { caller: person.caller, proof, client: CLIENT, now: NOW + 60 }),
    adminUnlock(deployment, user, NOW + 60),
  ]);
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'done')),
    ['done', 'code_rejected', 'conflict'],
  );
});

test('support sees a stop that came before anything was enrolled', async () => {
  const deployment = createDeployment();
  const { caller } = await session(deployment, 'alice', NOW);
  const { authenticatorId, otpauthUri } = await enroll(deployment, {
    caller,
    name: 'Phone',
    proof: undefined,
    password: PASSWORD,
    now: NOW,
  });
  const factor = await deployment.records.read(caller.user);
  deployment.records.put(caller.user, { ...factor, failures: 100 });
  const code = scan(otpauthUri).codeAt(NOW);
  const input = { caller, authenticatorId, code, client: CLIENT, now: NOW };
  await assert.rejects(confirm(deployment, input), refusal('factor_stopped'));
  assert.equal((await adminStatus(deployment, caller.user, NOW)).stopped, true);
});
