import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeJwt } from 'jose';
import type { Caller } from '../../core/claims.ts';
import { rotateBackupCodes } from '../../core/rotate-backup-codes.ts';
import { verify } from '../../core/verify.ts';
import { CLIENT, callerOf, createDeployment, enrolled, NOW, session } from '../support/deployment.ts';
import { refusal } from '../support/refusal.ts';

test('step-up gives an access token that says so, and no refresh token', async () => {
  const deployment = createDeployment();
  const { caller, app } = await enrolled(deployment);
  const answer = await verify(deployment, {
    caller,
    proof: { code: app.codeAt(NOW) },
    client: CLIENT,
    now: NOW,
  });
  assert.deepEqual(Object.keys(answer).toSorted(), ['accessToken', 'expiresIn', 'method', 'verified']);
  const { auth_time, amr, acr, sub, client_id, exp, sid } = decodeJwt(answer.accessToken);
  assert.deepEqual([auth_time, amr, acr], [NOW, ['pwd', 'otp', 'mfa'], 'urn:countersign:2fa']);
  assert.deepEqual([sub, client_id, exp, sid], ['sub-of-alice', CLIENT, NOW + 300, caller.sid]);
});

test('where there is no second factor there is none to verify, and nothing is charged', async () => {
  const deployment = createDeployment();
  const { caller } = await session(deployment, 'alice', NOW);
  const use = verify(deployment, { caller, proof: { code: '123456' }, client: CLIENT, now: NOW });
  await assert.rejects(use, refusal('not_enrolled'));
  assert.equal((await deployment.records.read(caller.user)).writtenBy, undefined);
});

test("another issuer's token is void up to the very second of a change, but for the session that proved it", async () => {
  const deployment = createDeployment();
  const { caller } = await enrolled(deployment);
  const factor = await deployment.records.read(caller.user);
  deployment.records.put(caller.user, { ...factor, changedAt: NOW, provenBy: 'session-1' });
  const come = (authTime: number, session?: string) => {
    const theirs: Caller = {
      user: caller.user,
      account: 'alice',
      authTime,
      amr: [],
      generation: undefined,
      session,
    };
    return verify(deployment, { caller: theirs, proof: { code: '000000' }, client: CLIENT, now: NOW });
  };
  for (const [authTime, session] of [[NOW - 1], [NOW], [NOW, 'session-2']] as const) {
    await assert.rejects(come(authTime, session), refusal('token_invalid'));
  }
  for (const [authTime, session] of [[NOW + 1], [NOW - 1, 'session-1']] as const) {
    await assert.rejects(come(authTime, session), refusal('code_rejected'));
  }
});

test("a step-up of another issuer's session begins none of this service, and what it changes that session has proved", async () => {
  const deployment = createDeployment();
  const { caller, app } = await enrolled(deployment);
  const { changedAt } = await deployment.records.read(caller.user);
  const theirs: Caller = {
    user: caller.user,
    account: 'alice',
    authTime: changedAt + 1,
    amr: [],
    generation: undefined,
    session: 'session-1',
  };
  const steppedUp = await verify(deployment, {
    caller: theirs,
    proof: { code: app.codeAt(NOW) },
    client: CLIENT,
    now: NOW,
  });
  const proven = await callerOf(deployment, steppedUp.accessToken, NOW);
  const answer = await rotateBackupCodes(deployment, {
    caller: proven,
    code: app.codeAt(NOW + 30),
    client: CLIENT,
    now: NOW + 30,
  });
  assert.deepEqual(Object.keys(answer), ['backupCodes']);
  const proof = { code: app.codeAt(NOW + 60) };
  const again = await verify(deployment, { caller: theirs, proof, client: CLIENT, now: NOW + 60 });
  assert.ok(again.verified);
});

test('nor does it where the other issuer does not tell sessions apart', async () => {
  const deployment = createDeployment();
  const { caller, app } = await enrolled(deployment);
  const theirs = { ...caller, authTime: NOW, amr: [], generation: undefined };
  const proof = { code: app.codeAt(NOW) };
  const { accessToken } = await verify(deployment, { caller: theirs, proof, client: CLIENT, now: NOW });
  const answer = await rotateBackupCodes(deployment, {
    caller: await callerOf(deployment, accessToken, NOW),
    code: app.codeAt(NOW + 30),
    client: CLIENT,
    now: NOW + 30,
  });
  assert.deepEqual(Object.keys(answer), ['backupCodes']);
});

test("another issuer's session is not exempt where nobody's session proved the change", async () => {
  const deployment = createDeployment();
  const { caller } = await enrolled(deployment);
  const theirs: Caller = {
    user: caller.user,
    account: 'alice',
    authTime: NOW - 301,
    amr: [],
    generation: undefined,
  };
  const use = verify(deployment, { caller: theirs, proof: { code: '000000' }, client: CLIENT, now: NOW });
  await assert.rejects(use, refusal('token_invalid'));
});
