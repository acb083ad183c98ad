import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adminStatus } from '../../core/admin.ts';
import { confirm } from '../../core/confirm.ts';
import { enroll } from '../../core/enroll.ts';
import { codeAt } from '../../core/totp/algorithm.ts';
import type { TotpParameters } from '../../core/totp/data.ts';
import { inForce, seal, waiting } from '../../core/totp/sealed.ts';
import { typedRecoveryCode } from '../../core/typed-code.ts';
import { verify } from '../../core/verify.ts';
import { verifyLogin } from '../../core/verify-login.ts';
import {
  CLIENT,
  callerOf,
  challenge,
  createDeployment,
  enrolled,
  NOW,
  PASSWORD,
  session,
} from '../support/deployment.ts';
import { pathNames, paths, withTwoApps } from '../support/paths.ts';
import { refusal } from '../support/refusal.ts';

for (const first of pathNames) {
  test(`a code accepted by ${first} is accepted by no path again`, async () => {
    for (const second of pathNames) {
      const [deployment, person] = await withTwoApps();
      const proof = { code: person.app.codeAt(NOW) };
      const caller = await paths[first](deployment, person, proof, NOW);
      // Of the same time step still, and as the next one.
      for (const now of [NOW + 1, NOW + 30]) {
        const again = paths[second](deployment, { ...person, caller }, proof, now);
        await assert.rejects(
          again,
          refusal(second === 'disable' && first === 'disable' ? 'authenticator_not_found' : 'code_rejected'),
        );
      }
    }
  });
}

test('a backup code used on one path is used on all', async () => {
  const taking = pathNames.filter((path) => path !== 'rotate-backup-codes');
  for (const first of taking) {
    for (const second of taking.filter((path) => path !== 'disable')) {
      const [deployment, person] = await withTwoApps();
      const proof = { backupCode: person.backupCodes[0] ?? '' };
      const caller = await paths[first](deployment, person, proof, NOW);
      const again = paths[second](deployment, { ...person, caller }, proof, NOW + 1);
      await assert.rejects(again, refusal('code_rejected'));
    }
  }
});

test('a code of an earlier step is refused after a later one, within the window too (RFC 6238 §5.2)', async () => {
  const [deployment, person] = await withTwoApps();
  await paths.verify(deployment, person, { code: person.app.codeAt(NOW + 30) }, NOW);
  for (const at of [NOW - 30, NOW]) {
    const earlier = paths.verify(deployment, person, { code: person.app.codeAt(at) }, NOW + 1);
    await assert.rejects(earlier, refusal('code_rejected'));
  }
});

test('codes of one step either side are accepted, of two steps refused', async () => {
  for (const [away, accepted] of [
    [-2, false],
    [-1, true],
    [1, true],
    [2, false],
  ] as const) {
    const [deployment, person] = await withTwoApps();
    const use = paths.verify(deployment, person, { code: person.app.codeAt(NOW + away * 30) }, NOW);
    await (accepted ? use : assert.rejects(use, refusal('code_rejected')));
  }
});

test('guesses at codes on all paths, over new challenges: one budget', async () => {
  const [deployment, person] = await withTwoApps();
  const code = { code: person.app.wrongCodeAt(NOW) };
  const guesses = [
    () => paths['verify-login'](deployment, person, code, NOW),
    () => paths.enroll(deployment, person, code, NOW),
    () => paths.verify(deployment, person, code, NOW),
    () => paths.disable(deployment, person, code, NOW),
    () => paths['rotate-backup-codes'](deployment, person, code, NOW),
  ];
  for (const guess of guesses) await assert.rejects(guess(), refusal('code_rejected'));

  // Now the right code is refused as a wrong one is, everywhere.
  const right = { code: person.app.codeAt(NOW) };
  for (const path of pathNames) {
    for (const proof of [right, code]) {
      await assert.rejects(paths[path](deployment, person, proof, NOW + 29), {
        code: 'too_many_attempts',
        retryAfter: 1,
      });
    }
  }
  await paths.verify(deployment, person, right, NOW + 30);
});

test('guesses at backup codes on all paths lock nothing, and are counted up to a hundred', async () => {
  const [deployment, person] = await withTwoApps();
  const wrong = { backupCode: '0000000000000000' };
  const byBackupCode = pathNames.filter((path) => path !== 'rotate-backup-codes');
  for (let guess = 1; guess <= 103; guess++) {
    const path = byBackupCode[guess % byBackupCode.length] ?? 'verify';
    await assert.rejects(paths[path](deployment, person, wrong, NOW), refusal('code_rejected'));
    const { failures, backupFailures } = await deployment.records.read(person.caller.user);
    assert.deepEqual([failures, backupFailures], [0, Math.min(guess, 100)]);
  }
  const { writtenBy } = await deployment.records.read(person.caller.user);
  await assert.rejects(paths.verify(deployment, person, wrong, NOW), refusal('code_rejected'));
  assert.equal((await deployment.records.read(person.caller.user)).writtenBy, writtenBy, 'no more writes');
  await paths.verify(deployment, person, { backupCode: person.backupCodes[0] ?? '' }, NOW);
  assert.equal((await deployment.records.read(person.caller.user)).backupFailures, 0);
});

test('a backup code is accepted through lock and stop, and forgives no wrong code', async () => {
  for (const shut of [
    { failures: 9, lockedUntil: NOW + 60 },
    { failures: 100, stoppedAt: NOW - 60 },
  ]) {
    const [deployment, person] = await withTwoApps();
    const { user } = person.caller;
    deployment.records.put(user, { ...(await deployment.records.read(user)), ...shut });
    await paths['verify-login'](deployment, person, { backupCode: person.backupCodes[0] ?? '' }, NOW);
    const { failures, lockedUntil, stoppedAt } = await deployment.records.read(user);
    assert.deepEqual({ failures, lockedUntil, stoppedAt }, { lockedUntil: 0, stoppedAt: undefined, ...shut });
  }
});

test('a success on any path forgives the failures in a row, and none of those of 30 days', async () => {
  for (const path of pathNames) {
    const [deployment, person] = await withTwoApps();
    for (let failure = 0; failure < 4; failure++) {
      const wrong = paths.verify(deployment, person, { code: person.app.wrongCodeAt(NOW) }, NOW);
      await assert.rejects(wrong, refusal('code_rejected'));
    }
    await paths[path](deployment, person, { code: person.app.codeAt(NOW) }, NOW);
    const { failures, recentFailures } = await deployment.records.read(person.caller.user);
    assert.deepEqual([failures, recentFailures.map(({ count }) => count)], [0, [4]], path);
  }
});

test('after each lock one attempt is heard, up to the stop at a hundred; then no code helps', async () => {
  const [deployment, person] = await withTwoApps();
  const { user } = person.caller;
  let now = NOW;
  for (let failure = 1; failure <= 100; failure++) {
    const path = pathNames[failure % pathNames.length] ?? 'verify';
    await assert.rejects(
      paths[path](deployment, person, { code: person.app.wrongCodeAt(now) }, now),
      refusal('code_rejected'),
    );
    const status = await adminStatus(deployment, user, now);
    assert.equal(status.failures, failure);
    now = status.lockedUntil ?? now;
  }
  for (const path of pathNames) {
    const right = paths[path](deployment, person, { code: person.app.codeAt(now) }, now + 86_400);
    await assert.rejects(right, refusal('factor_stopped'));
  }
});

test('thirty parallel uses of one code over all paths: exactly one success', async () => {
  const [deployment, person] = await withTwoApps();
  const proof = { code: person.app.codeAt(NOW) };
  const uses = Array.from({ length: 30 }, (_, use) =>
    paths[pathNames[use % pathNames.length] ?? 'verify'](deployment, person, proof, NOW),
  );
  const outcomes = await Promise.allSettled(uses);
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
});

test('thirty parallel uses of one backup code: exactly one success', async () => {
  const [deployment, person] = await withTwoApps();
  const proof = { backupCode: person.backupCodes[3] ?? '' };
  const uses = Array.from({ length: 30 }, (_, use) =>
    paths[use % 2 ? 'verify' : 'verify-login'](deployment, person, proof, NOW),
  );
  const outcomes = await Promise.allSettled(uses);
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
  const { backupCodesRemaining } = await adminStatus(deployment, person.caller.user, NOW);
  assert.equal(backupCodesRemaining, 9);
});

test("another user's code and backup code are refused", async () => {
  const [deployment, alice] = await withTwoApps();
  const bob = await enrolled(deployment, 'bob');
  for (const proof of [{ code: bob.app.codeAt(NOW) }, { backupCode: bob.backupCodes[0] ?? '' }]) {
    await assert.rejects(paths.verify(deployment, alice, proof, NOW), refusal('code_rejected'));
  }
  assert.equal((await adminStatus(deployment, bob.caller.user, NOW)).failures, 0);
});

test('a backup code still counts where every authenticator is lost', async () => {
  const [deployment, person] = await withTwoApps();
  const challengeToken = await challenge(deployment, person.name, NOW);
  const proof = { backupCode: typedRecoveryCode((person.backupCodes[0] ?? '').toUpperCase()) };
  const answer = await verifyLogin(deployment, { challengeToken, proof, client: CLIENT, now: NOW });
  assert.deepEqual([answer.method, answer.backupCodesRemaining], ['backup_code', 9]);
});

test('an authenticator that does not open does not block the others', async () => {
  const [deployment, person] = await withTwoApps();
  const { user } = person.caller;
  const factor = await deployment.records.read(user);
  const [own, spare] = factor.authenticators;
  assert.ok(own && spare);
  // A secret copied from one authenticator to another.
  deployment.records.put(user, { ...factor, authenticators: [own, { ...spare, secret: own.secret }] });
  await paths.verify(deployment, person, { code: person.app.codeAt(NOW) }, NOW);
});

test('where no authenticator opens nobody is let in and nobody is charged', async () => {
  const [deployment, person] = await withTwoApps();
  const { user } = person.caller;
  const { authenticators } = await deployment.records.read(user);
  for (const { secret } of authenticators) deployment.keyring.forget('data', secret.keyId);
  deployment.keyring.rotate('data');
  const use = paths.verify(deployment, person, { code: person.app.codeAt(NOW) }, NOW);
  await assert.rejects(use, refusal('temporarily_unavailable'));
  assert.equal((await deployment.records.read(user)).failures, 0);
});

test('a secret is sealed anew, under the current key, by the write its next success makes', async () => {
  const deployment = createDeployment();
  const person = await enrolled(deployment);
  const { id } = deployment.keyring.rotate('data');
  await verify(deployment, {
    caller: person.caller,
    proof: { code: person.app.codeAt(NOW) },
    client: CLIENT,
    now: NOW,
  });
  const { authenticators } = await deployment.records.read(person.caller.user);
  assert.equal(authenticators[0]?.secret.keyId, id);
  const next = { code: person.app.codeAt(NOW + 30) };
  await verify(deployment, { caller: person.caller, proof: next, client: CLIENT, now: NOW + 30 });
});

test('an authenticator keeps its own parameters when the configuration changes', async () => {
  const deployment = createDeployment({ totp: { algorithm: 'SHA512', digits: 8, period: 60 } });
  const person = await enrolled(deployment);
  const changed = { ...deployment, settings: createDeployment().settings };
  const proof = { code: person.app.codeAt(NOW) };
  assert.match(proof.code, /^\d{8}$/);
  await verify(changed, { caller: person.caller, proof, client: CLIENT, now: NOW });
});

/** Two steps of one window that share their code, of the secret of RFC 6238's vectors: see totp.test.ts. */
const SHARED = 61_331_809;
const SECRET = Buffer.from('12345678901234567890');
const SHA1: TotpParameters = { algorithm: 'SHA1', digits: 6, period: 30 };
const sharedCode = codeAt(SHARED, SECRET, SHA1);
const between = (SHARED + 1) * 30;

test('a code that fits two steps of the window is spent for both', async () => {
  const deployment = createDeployment();
  const { caller } = await enrolled(deployment, 'alice', between - 300);
  const factor = await deployment.records.read(caller.user);
  const [authenticator = assert.fail()] = factor.authenticators;
  const secret = seal(
    SECRET,
    caller.user,
    inForce(authenticator),
    await deployment.keyring.current('data', between),
  );
  deployment.records.put(caller.user, { ...factor, authenticators: [{ ...authenticator, secret }] });
  const use = (now: number) =>
    verify(deployment, { caller, proof: { code: sharedCode }, client: CLIENT, now });
  await use(between);
  await assert.rejects(use(between + 30), refusal('code_rejected'));
});

test('a code that confirms and fits two steps of the window is spent for both', async () => {
  const deployment = createDeployment();
  const { caller } = await session(deployment, 'alice', between);
  const input = { caller, name: 'Phone', proof: undefined, password: PASSWORD, client: CLIENT, now: between };
  const { authenticatorId } = await enroll(deployment, input);
  const factor = await deployment.records.read(caller.user);
  const { pending = assert.fail() } = factor;
  const key = await deployment.keyring.current('data', between);
  const secret = seal(SECRET, caller.user, waiting(pending, factor), key);
  deployment.records.put(caller.user, { ...factor, pending: { ...pending, secret } });
  const confirming = { caller, authenticatorId, code: sharedCode, client: CLIENT, now: between };
  const { accessToken } = await confirm(deployment, confirming);
  const next = await callerOf(deployment, accessToken, between);
  const again = { caller: next, proof: { code: sharedCode }, client: CLIENT, now: between + 30 };
  await assert.rejects(verify(deployment, again), refusal('code_rejected'));
});
