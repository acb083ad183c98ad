import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  adminReset,
  adminRevokeSessions,
  adminStatus,
  adminUnlock,
  revokeSessions,
} from '../../core/admin.ts';
import { status } from '../../core/status.ts';
import { verify } from '../../core/verify.ts';
import {
  CLIENT,
  createDeployment,
  type Deployment,
  enrolled,
  enrolledByTicket,
  NOW,
  SUPPORT,
  session,
  signIn,
} from '../support/deployment.ts';
import { refusal } from '../support/refusal.ts';

const ACT = { by: SUPPORT, reason: 'lost phone, ticket 4711' };
const unlockAs = { ...ACT, passwordChanged: false };

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
      {
        kind: 'totp',
        id: person.authenticatorId,
        name: 'Phone',
        createdAt: NOW - 300,
        lastUsedAt: NOW - 300,
      },
    ],
    backupCodesRemaining: 10,
    failures: 7,
    backupFailures: 0,
    lockedUntil: NOW + 60,
    stopped: false,
    stoppedAt: null,
    enrollmentNeeds: null,
    ticketExpiresAt: null,
    lastEvent: { type: 'authenticator.added', at: NOW - 300, method: 'totp' },
    lastAdministered: null,
    lastRevoked: null,
  });
  assert.equal((await adminStatus(deployment, user, NOW + 60)).lockedUntil, null);
});

test('of somebody of whom nothing is stored nothing is known', async () => {
  const { deployment } = await withFailures(0);
  const nobody = { realm: 'users', sub: 'nobody' };
  await assert.rejects(adminStatus(deployment, nobody, NOW), refusal('user_not_found'));
  await assert.rejects(adminUnlock(deployment, nobody, unlockAs, NOW), refusal('user_not_found'));
  await assert.rejects(adminReset(deployment, nobody, ACT, NOW), refusal('user_not_found'));
  assert.equal((await deployment.records.read(nobody)).writtenBy, undefined);
});

test('unlock ends a lock at once; sessions and the failures of 30 days stay', async () => {
  const { deployment, person, user } = await withFailures(9);
  const factor = await deployment.records.read(user);
  deployment.records.put(user, {
    ...factor,
    recentFailures: [{ span: Math.floor(NOW / 518_400), count: 9 }],
  });
  const unlocked = await adminUnlock(deployment, user, unlockAs, NOW);
  assert.deepEqual(
    [unlocked.failures, unlocked.lockedUntil, unlocked.lastEvent?.type],
    [0, null, 'account.unlocked'],
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
  await adminUnlock(deployment, user, unlockAs, NOW - 300);
  const proof = { code: person.app.codeAt(NOW - 300) };
  const use = verify(deployment, { caller: person.caller, proof, client: CLIENT, now: NOW - 300 });
  await assert.rejects(use, refusal('code_rejected'));
});

/** Somebody whose codes were stopped at NOW. */
async function withStop() {
  const { deployment, person, user } = await withFailures(99);
  const factor = await deployment.records.read(user);
  deployment.records.put(user, { ...factor, lockedUntil: 0 });
  const guess = { code: person.app.wrongCodeAt(NOW) };
  const wrong = verify(deployment, { caller: person.caller, proof: guess, client: CLIENT, now: NOW });
  await assert.rejects(wrong, refusal('code_rejected'));
  return { deployment, person, user };
}

test('a stop ends by an administrator once the password is newer, or support has seen to a new one', async () => {
  const newer = await withStop();
  const { deployment, user } = newer;
  const { stopped, stoppedAt } = await adminStatus(deployment, user, NOW);
  assert.deepEqual([stopped, stoppedAt], [true, NOW]);
  await assert.rejects(adminUnlock(deployment, user, unlockAs, NOW), refusal('new_password_required'));
  await revokeSessions(deployment.records, user, { passwordSetAt: NOW }, NOW);
  await assert.rejects(adminUnlock(deployment, user, unlockAs, NOW), refusal('new_password_required'));
  await revokeSessions(deployment.records, user, { passwordSetAt: NOW + 1 }, NOW + 1);
  const unlocked = await adminUnlock(deployment, user, unlockAs, NOW + 2);
  assert.deepEqual([unlocked.stopped, unlocked.failures, unlocked.enabled], [false, 0, true]);
  assert.deepEqual((await deployment.records.read(user)).recentFailures, []);

  const told = await withStop();
  const affirmed = { ...ACT, passwordChanged: true };
  const lifted = await adminUnlock(told.deployment, told.user, affirmed, NOW);
  assert.deepEqual([lifted.stopped, lifted.lastAdministered?.passwordChanged], [false, true]);
});

test('a stop stays until it is lifted, though its failures are long past, and a reset then wants a newer password', async () => {
  const deployment = createDeployment({ afterReset: 'new_password' });
  const person = await enrolled(deployment);
  const { user } = person.caller;
  const factor = await deployment.records.read(user);
  const recentFailures = [{ span: Math.floor(NOW / 518_400), count: 299 }];
  deployment.records.put(user, { ...factor, recentFailures });
  const proof = { code: person.app.wrongCodeAt(NOW) };
  const wrong = verify(deployment, { caller: person.caller, proof, client: CLIENT, now: NOW });
  await assert.rejects(wrong, refusal('code_rejected'));
  const later = NOW + 40 * 86_400;
  assert.equal((await adminStatus(deployment, user, later)).stopped, true);
  const reset = await adminReset(deployment, user, ACT, later);
  assert.equal(reset.enrollmentNeeds, 'new_password');
});

test('after a reset support says that the password is a new one, where Countersign cannot know', async () => {
  const deployment = createDeployment({ afterReset: 'new_password' });
  const { caller } = await enrolled(deployment);
  await adminReset(deployment, caller.user, ACT, NOW);
  await assert.rejects(signIn(deployment, 'alice', NOW + 1), refusal('new_password_required'));
  await adminUnlock(deployment, caller.user, { ...ACT, passwordChanged: true }, NOW + 1);
  await enrolled(deployment, 'alice', NOW + 2);
});

test('the time of a new password never goes back', async () => {
  const { deployment, user } = await withFailures(0);
  await revokeSessions(deployment.records, user, { passwordSetAt: NOW }, NOW);
  await revokeSessions(deployment.records, user, { passwordSetAt: NOW - 60 }, NOW + 1);
  await adminRevokeSessions(deployment, user, ACT, NOW + 2);
  assert.equal((await deployment.records.read(user)).passwordSetAt, NOW);
});

test('what an administrator did last, who and why is in the record, and stays through what the user does', async () => {
  const { deployment, person, user } = await withFailures(9);
  await adminUnlock(deployment, user, unlockAs, NOW);
  const act = { type: 'account.unlocked', at: NOW, by: ACT.by, reason: ACT.reason };
  assert.deepEqual((await adminStatus(deployment, user, NOW)).lastAdministered, act);
  const proof = { code: person.app.codeAt(NOW) };
  await verify(deployment, { caller: person.caller, proof, client: CLIENT, now: NOW });
  assert.deepEqual((await adminStatus(deployment, user, NOW)).lastAdministered, act);
  await adminRevokeSessions(deployment, user, { by: ACT.by }, NOW + 1);
  const seen = await adminStatus(deployment, user, NOW);
  assert.deepEqual(seen.lastAdministered, act, 'whoever ends the sessions takes nothing of it away');
  assert.deepEqual(seen.lastRevoked, { type: 'sessions.revoked', at: NOW + 1, by: ACT.by });
});

test('a reset of a stopped factor ends the stop', async () => {
  const { deployment, user } = await withStop();
  const reset = await adminReset(deployment, user, ACT, NOW);
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
  const { enrollmentTicket = '' } = await adminReset(deployment, user, ACT, NOW);
  await enrolledByTicket(deployment, 'alice', enrollmentTicket, NOW + 1);
  assert.equal((await adminStatus(deployment, user, NOW + 1)).stopped, false);
});

test('reset removes the factor, its backup codes and what is pending, ends every session, and the user enrolls anew', async () => {
  const { deployment, person, user } = await withFailures(100);
  const { enrollmentTicket = '' } = await adminReset(deployment, user, ACT, NOW);
  const { authenticators, backupCodes, pending } = await deployment.records.read(user);
  assert.deepEqual([authenticators, backupCodes, pending], [[], undefined, undefined]);
  await assert.rejects(status(deployment, person.caller), refusal('token_invalid'));
  const again = await enrolledByTicket(deployment, 'alice', enrollmentTicket, NOW + 1);
  assert.equal(again.backupCodes.length, 10);
});

test('revoking ends every session and leaves the factor as it is', async () => {
  const { deployment, person, user } = await withFailures(2);
  await adminRevokeSessions(deployment, user, ACT, NOW);
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
  await adminRevokeSessions(deployment, caller.user, ACT, NOW);
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
    await end(besieged(deployment, 20), user, ACT, NOW);
    const ended = await deployment.records.read(user);
    assert.notEqual(ended.generation, generation);
    await assert.rejects(end(besieged(deployment, 21), user, ACT, NOW), refusal('conflict'));
    assert.equal((await deployment.records.read(user)).generation, ended.generation);
  }
});

test('an administrator and a user at once: each wins whole or not at all, and a reset outlasts the others', async () => {
  const { deployment, person, user } = await withFailures(0);
  const proof = { code: person.app.codeAt(NOW + 60) };
  const outcomes = await Promise.allSettled([
    adminReset(deployment, user, ACT, NOW + 60),
    verify(deployment, { caller: person.caller, proof, client: CLIENT, now: NOW + 60 }),
    adminUnlock(deployment, user, unlockAs, NOW + 60),
  ]);
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'done')),
    ['done', 'code_rejected', 'done'],
  );
  assert.equal((await adminStatus(deployment, user, NOW + 60)).enabled, false);
});
