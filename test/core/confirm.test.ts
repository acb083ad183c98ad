import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeJwt } from 'jose';
import { adminStatus } from '../../core/admin.ts';
import { confirm } from '../../core/confirm.ts';
import { enroll } from '../../core/enroll.ts';
import { status } from '../../core/status.ts';
import { verify } from '../../core/verify.ts';
import { verifyLogin } from '../../core/verify-login.ts';
import { scan } from '../support/authenticator-app.ts';
import {
  addAuthenticator,
  CLIENT,
  challenge,
  createDeployment,
  type Deployment,
  enrolled,
  NOW,
  PASSWORD,
  session,
  signIn,
} from '../support/deployment.ts';
import { refusal } from '../support/refusal.ts';

/** Somebody who has scanned and not confirmed yet. */
async function begun(deployment: Deployment, now = NOW) {
  const { caller } = await session(deployment, 'alice', now);
  const { authenticatorId, otpauthUri, expiresAt } = await enroll(deployment, {
    caller,
    name: 'Phone',
    proof: undefined,
    password: PASSWORD,
    client: CLIENT,
    now,
  });
  const app = scan(otpauthUri);
  return {
    caller,
    authenticatorId,
    app,
    expiresAt,
    input: { caller, authenticatorId, code: app.codeAt(now), client: CLIENT, now },
  };
}

test('the first confirmation gives ten backup codes and a session of two factors', async () => {
  const deployment = createDeployment();
  const { input, authenticatorId } = await begun(deployment);
  const confirmation = await confirm(deployment, input);
  assert.equal(confirmation.authenticatorId, authenticatorId);
  assert.equal(confirmation.backupCodes?.length, 10);
  const { amr, acr, auth_time } = decodeJwt(confirmation.accessToken ?? '');
  assert.deepEqual([amr, acr, auth_time], [['pwd', 'otp', 'mfa'], 'urn:countersign:2fa', NOW]);
  assert.equal((await signIn(deployment, 'alice', NOW)).status, 'challenge');
});

test('the enrollment code does not sign in', async () => {
  const deployment = createDeployment();
  const { input, app } = await begun(deployment);
  await confirm(deployment, input);
  const challengeToken = await challenge(deployment, 'alice', NOW);
  const answer = (at: number) =>
    verifyLogin(deployment, { challengeToken, proof: { code: app.codeAt(at) }, client: CLIENT, now: NOW });
  await assert.rejects(answer(NOW), refusal('code_rejected'));
  await answer(NOW + 30);
});

test('a further authenticator gives no backup codes and leaves those there are', async () => {
  const deployment = createDeployment();
  const person = await enrolled(deployment);
  const more = await addAuthenticator(deployment, person.caller, { code: person.app.codeAt(NOW) }, NOW);
  assert.deepEqual(more.backupCodes, []);
  assert.equal((await status(deployment, more.caller)).backupCodesRemaining, 10);
});

test('confirming never forgives the failures of an enabled factor', async () => {
  const deployment = createDeployment();
  const person = await enrolled(deployment);
  const { caller } = person;
  const proof = { code: person.app.codeAt(NOW) };
  const { authenticatorId, otpauthUri } = await enroll(deployment, {
    caller,
    name: 'Second',
    proof,
    client: CLIENT,
    now: NOW,
  });
  for (let failure = 0; failure < 3; failure++) {
    const wrong = { code: person.app.wrongCodeAt(NOW) };
    await assert.rejects(
      verify(deployment, { caller, proof: wrong, client: CLIENT, now: NOW }),
      refusal('code_rejected'),
    );
  }
  const code = scan(otpauthUri).codeAt(NOW);
  await confirm(deployment, { caller, authenticatorId, code, client: CLIENT, now: NOW });
  assert.equal((await adminStatus(deployment, caller.user, NOW)).failures, 3);
});

test('wrong codes at the confirmation are counted against the enrollment alone; the fifth ends it', async () => {
  const deployment = createDeployment();
  const { input, app, caller } = await begun(deployment);
  const wrong = () => confirm(deployment, { ...input, code: app.wrongCodeAt(NOW) });
  for (let guess = 1; guess <= 4; guess++) {
    await assert.rejects(wrong(), refusal('code_rejected'));
    const { failures, pending } = await deployment.records.read(caller.user);
    assert.deepEqual([failures, pending?.failures], [0, guess]);
  }
  await assert.rejects(wrong(), refusal('code_rejected'));
  assert.equal((await deployment.records.read(caller.user)).pending, undefined);
  await assert.rejects(confirm(deployment, input), refusal('enrollment_not_found'));
  const again = await begun(deployment);
  await confirm(deployment, again.input);
});

test('a right code after four wrong ones confirms', async () => {
  const deployment = createDeployment();
  const { input, app } = await begun(deployment);
  for (let guess = 1; guess <= 4; guess++) {
    const wrong = confirm(deployment, { ...input, code: app.wrongCodeAt(NOW) });
    await assert.rejects(wrong, refusal('code_rejected'));
  }
  await confirm(deployment, input);
});

test('no lock and no stop keeps the owner from confirming, and confirming lifts none', async () => {
  for (const shut of [
    { failures: 9, lockedUntil: NOW + 60 },
    { failures: 100, stoppedAt: NOW - 60 },
  ]) {
    const deployment = createDeployment();
    const person = await enrolled(deployment);
    const { user } = person.caller;
    deployment.records.put(user, { ...(await deployment.records.read(user)), ...shut });
    const proof = { backupCode: person.backupCodes[0] ?? '' };
    await addAuthenticator(deployment, person.caller, proof, NOW, 'New phone');
    const { authenticators, failures, lockedUntil, stoppedAt } = await deployment.records.read(user);
    assert.equal(authenticators.length, 2);
    assert.deepEqual({ failures, lockedUntil, stoppedAt }, { lockedUntil: 0, stoppedAt: undefined, ...shut });
  }
});

test('an enrollment that has expired is not confirmed, nor charged', async () => {
  const deployment = createDeployment({ lifetimes: { recentSignIn: 3600 } });
  const { input, app, expiresAt, caller } = await begun(deployment);
  const late = { ...input, code: app.codeAt(expiresAt), now: expiresAt };
  await assert.rejects(confirm(deployment, late), refusal('enrollment_not_found'));
  assert.equal((await deployment.records.read(caller.user)).failures, 0);
  const inTime = expiresAt - 1;
  await confirm(deployment, { ...input, code: app.codeAt(inTime), now: inTime });
});

test('only the newest enrollment can be confirmed', async () => {
  const deployment = createDeployment();
  const { input, caller } = await begun(deployment);
  await enroll(deployment, {
    caller,
    name: 'Other',
    proof: undefined,
    password: PASSWORD,
    client: CLIENT,
    now: NOW,
  });
  await assert.rejects(confirm(deployment, input), refusal('enrollment_not_found'));
});

test('the first confirmation wants a sign-in of the last ten minutes', async () => {
  const deployment = createDeployment({ lifetimes: { enrollment: 3600 } });
  const { input, app } = await begun(deployment);
  const at = (now: number) => confirm(deployment, { ...input, code: app.codeAt(now), now });
  await assert.rejects(at(NOW + 601), refusal('recent_sign_in_required'));
  await at(NOW + 600);
});

test('two confirmations at once: one wins whole', async () => {
  const deployment = createDeployment();
  const { input, caller } = await begun(deployment);
  const outcomes = await Promise.allSettled([confirm(deployment, input), confirm(deployment, input)]);
  assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
  const { authenticators, pending, backupCodes } = await deployment.records.read(caller.user);
  assert.deepEqual([authenticators.length, pending, backupCodes?.digests.length], [1, undefined, 10]);
});

test('an enrollment and a confirmation at once: one wins whole', async () => {
  const deployment = createDeployment();
  const { input, caller } = await begun(deployment);
  const again = { caller, name: 'Other', proof: undefined, password: PASSWORD, client: CLIENT, now: NOW };
  const outcomes = await Promise.allSettled([confirm(deployment, input), enroll(deployment, again)]);
  assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
  const { authenticators, pending } = await deployment.records.read(caller.user);
  assert.equal(authenticators.length + (pending ? 1 : 0), 1);
});

test('every session from before the first confirmation has ended, but the one that confirmed', async () => {
  const deployment = createDeployment();
  const other = await session(deployment, 'alice', NOW);
  const { input, caller } = await begun(deployment);
  const { accessToken } = await confirm(deployment, input);
  for (const old of [other.caller, caller])
    await assert.rejects(status(deployment, old), refusal('token_invalid'));
  const fresh = await deployment.bearer(`Bearer ${accessToken}`, CLIENT, NOW);
  assert.equal((await status(deployment, fresh)).enabled, true);
});

test('an enrollment whose key is gone can neither be confirmed nor charged', async () => {
  const deployment = createDeployment();
  const { input, caller } = await begun(deployment);
  const { pending } = await deployment.records.read(caller.user);
  deployment.keyring.forget('data', pending?.secret.keyId ?? '');
  await assert.rejects(confirm(deployment, input), refusal('temporarily_unavailable'));
  assert.equal((await deployment.records.read(caller.user)).failures, 0);
});

test('what a session began that has ended since is not confirmed, nor charged', async () => {
  const deployment = createDeployment();
  const { input, caller, app } = await begun(deployment);
  await deployment.families.end(caller.sid ?? '', NOW + 3600);
  for (const code of [app.codeAt(NOW), app.wrongCodeAt(NOW)]) {
    await assert.rejects(confirm(deployment, { ...input, code }), refusal('token_invalid'));
  }
  const ended = { ...caller, sid: undefined, generation: undefined, isSignedIn: async () => false };
  await assert.rejects(confirm(deployment, { ...input, caller: ended }), refusal('token_invalid'));
  const { failures, authenticators } = await deployment.records.read(caller.user);
  assert.deepEqual([failures, authenticators], [0, []]);
});

test('a further authenticator is confirmed with a code alone: whether the session has ended is not asked', async () => {
  const deployment = createDeployment();
  const { caller, app } = await enrolled(deployment);
  await deployment.families.end(caller.sid ?? '', NOW + 3600);
  await addAuthenticator(deployment, caller, { code: app.codeAt(NOW) }, NOW);
});
