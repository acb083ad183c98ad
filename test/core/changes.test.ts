// What holds of every change of the second factor alike: enrolling, confirming, disabling, rotating.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adminReset, adminRevokeSessions } from '../../core/admin.ts';
import type { Caller } from '../../core/claims.ts';
import { confirm } from '../../core/confirm.ts';
import { disable } from '../../core/disable.ts';
import { enroll } from '../../core/enroll.ts';
import { unavailable } from '../../core/error.ts';
import { rotateBackupCodes } from '../../core/rotate-backup-codes.ts';
import { status } from '../../core/status.ts';
import type { User } from '../../core/user.ts';
import { scan } from '../support/authenticator-app.ts';
import { CLIENT, createDeployment, enrolled, NOW, PASSWORD, session } from '../support/deployment.ts';
import { refusal } from '../support/refusal.ts';

const ACT = { by: 'arn:aws:iam::123456789012:user/support' };

/** Somebody with a token of another issuer, of that session. */
const foreign = (sub: string, authTime: number, name?: string): Caller => ({
  user: { realm: 'users', sub },
  account: sub,
  authTime,
  amr: [],
  generation: undefined,
  session: name,
});

test('a session that was ended changes nothing, whatever it proves', async () => {
  const deployment = createDeployment();
  const { caller, app, authenticatorId } = await enrolled(deployment);
  await adminRevokeSessions(deployment, caller.user, ACT, NOW);
  const before = await deployment.records.read(caller.user);
  const code = app.codeAt(NOW);
  const by = { caller, client: CLIENT, now: NOW };
  for (const refused of [
    enroll(deployment, { ...by, name: 'Second', proof: { code } }),
    confirm(deployment, { ...by, authenticatorId, code }),
    disable(deployment, { ...by, proof: { code }, authenticatorId: undefined }),
    rotateBackupCodes(deployment, { ...by, code }),
  ]) {
    await assert.rejects(refused, refusal('token_invalid'));
  }
  assert.deepEqual(await deployment.records.read(caller.user), before);
});

test('a session that was ended neither begins nor ends the first enrollment', async () => {
  const deployment = createDeployment();
  const { caller } = await session(deployment, 'alice', NOW);
  await adminRevokeSessions(deployment, caller.user, ACT, NOW);
  const by = { caller, client: CLIENT, now: NOW };
  const beginning = enroll(deployment, { ...by, name: 'Phone', proof: undefined, password: PASSWORD });
  await assert.rejects(beginning, refusal('token_invalid'));
  const ending = confirm(deployment, { ...by, authenticatorId: 'any', code: '123456' });
  await assert.rejects(ending, refusal('token_invalid'));
});

test('after a reset that wants a new password, a later session of the old one enrolls nothing', async () => {
  const deployment = createDeployment({ afterReset: 'new_password' });
  const { caller } = await enrolled(deployment);
  await adminReset(deployment, caller.user, ACT, NOW);
  const enrolling = enroll(deployment, {
    caller: foreign(caller.user.sub, NOW + 60),
    name: 'Phone',
    proof: undefined,
    client: CLIENT,
    now: NOW + 60,
  });
  await assert.rejects(enrolling, refusal('new_password_required'));
});

test("another issuer's session outlives the change that it has proved, and no other session does", async () => {
  const deployment = createDeployment();
  const caller = foreign('alice', NOW, 'session-1');
  const begun = await enroll(deployment, {
    caller,
    name: 'Phone',
    proof: undefined,
    client: CLIENT,
    now: NOW,
  });
  const app = scan(begun.otpauthUri);
  const by = { caller, client: CLIENT };
  const { authenticatorId } = begun;
  await confirm(deployment, { ...by, authenticatorId, code: app.codeAt(NOW), now: NOW });
  const rotated = { ...by, code: app.codeAt(NOW + 30), now: NOW + 30 };
  await rotateBackupCodes(deployment, rotated);
  await status(deployment, caller);
  for (const other of [foreign('alice', NOW, 'session-2'), foreign('alice', NOW)]) {
    await assert.rejects(status(deployment, other), refusal('token_invalid'));
  }
  const proof = { code: app.codeAt(NOW + 60) };
  await disable(deployment, { ...by, proof, authenticatorId: undefined, now: NOW + 60 });
  await status(deployment, caller);
});

test("each change ends the pool's own sessions where the configuration says so", async () => {
  const ended: string[] = [];
  const poolSessions = {
    async end({ sub }: User) {
      ended.push(sub);
      return true;
    },
  };
  const deployment = { ...createDeployment(), poolSessions };
  const { caller, app } = await enrolled(deployment);
  assert.deepEqual(ended, ['sub-of-alice']);
  const rotated = await rotateBackupCodes(deployment, {
    caller,
    code: app.codeAt(NOW),
    client: CLIENT,
    now: NOW,
  });
  assert.deepEqual([ended.length, rotated.cognitoSessionsEnded], [2, true]);
  const later = await deployment.bearer(`Bearer ${rotated.accessToken}`, CLIENT, NOW);
  const off = { caller: later, proof: { code: app.codeAt(NOW + 30) }, authenticatorId: undefined };
  const disabled = await disable(deployment, { ...off, client: CLIENT, now: NOW + 30 });
  assert.deepEqual([ended.length, disabled.cognitoSessionsEnded], [3, true]);
});

test("where the pool's sessions cannot be ended, the change stands and the answer says so", async () => {
  const poolSessions = { end: () => Promise.reject(unavailable()) };
  const deployment = { ...createDeployment(), poolSessions };
  const { caller } = await session(deployment, 'alice', NOW);
  const enrolling = { caller, name: 'Phone', proof: undefined, password: PASSWORD, client: CLIENT, now: NOW };
  const { authenticatorId, otpauthUri } = await enroll(deployment, enrolling);
  const code = scan(otpauthUri).codeAt(NOW);
  const confirming = { caller, authenticatorId, code, client: CLIENT, now: NOW };
  const { backupCodes, accessToken, cognitoSessionsEnded } = await confirm(deployment, confirming);
  assert.deepEqual([backupCodes?.length, cognitoSessionsEnded], [10, false]);
  await status(deployment, await deployment.bearer(`Bearer ${accessToken}`, CLIENT, NOW));
});
