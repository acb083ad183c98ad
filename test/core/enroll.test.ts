import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Caller } from '../../core/claims.ts';
import { enroll } from '../../core/enroll.ts';
import { unavailable } from '../../core/error.ts';
import { status } from '../../core/status.ts';
import { verify } from '../../core/verify.ts';
import {
  addAuthenticator,
  CLIENT,
  createDeployment,
  enrolled,
  NOW,
  PASSWORD,
  session,
} from '../support/deployment.ts';
import { refusal } from '../support/refusal.ts';

test('an enrollment gives a secret of 160 bits, its URI and its end', async () => {
  const deployment = createDeployment({ totp: { issuer: 'Example Co' } });
  const { caller } = await session(deployment, 'alice@example.com', NOW);
  const enrollment = await enroll(deployment, {
    caller,
    name: 'Phone',
    proof: undefined,
    password: PASSWORD,
    client: CLIENT,
    now: NOW,
  });
  assert.match(enrollment.secret, /^[A-Z2-7]{32}$/);
  assert.equal(
    enrollment.otpauthUri,
    `otpauth://totp/Example%20Co:alice%40example.com?secret=${enrollment.secret}&issuer=Example%20Co&algorithm=SHA1&digits=6&period=30`,
  );
  assert.equal(enrollment.expiresAt, NOW + 600);
});

test('an enrollment that is not confirmed leaves no trace in status, no lockout and every session', async () => {
  const deployment = createDeployment();
  const { caller } = await session(deployment, 'alice', NOW);
  await enroll(deployment, {
    caller,
    name: 'Phone',
    proof: undefined,
    password: PASSWORD,
    client: CLIENT,
    now: NOW,
  });
  assert.deepEqual(await status(deployment, caller), {
    enabled: false,
    authenticators: [],
    backupCodesRemaining: 0,
  });
  await session(deployment, 'alice', NOW + 1);
});

test('the first enrollment wants a sign-in of the last ten minutes', async () => {
  const deployment = createDeployment();
  const { caller } = await session(deployment, 'alice', NOW);
  const at = (now: number) =>
    enroll(deployment, { caller, name: 'Phone', proof: undefined, password: PASSWORD, client: CLIENT, now });
  await assert.rejects(at(NOW + 601), refusal('recent_sign_in_required'));
  await at(NOW + 600);
});

test('a further authenticator wants a code, never a session alone', async () => {
  const deployment = createDeployment();
  const { caller, app } = await enrolled(deployment);
  const before = await deployment.records.read(caller.user);
  const attempt = (proof?: { code: string }) =>
    enroll(deployment, { caller, name: 'Second', proof, client: CLIENT, now: NOW });
  await assert.rejects(attempt(), refusal('invalid_request'));
  assert.deepEqual(await deployment.records.read(caller.user), before);
  await assert.rejects(attempt({ code: app.wrongCodeAt(NOW) }), refusal('code_rejected'));
  assert.equal((await deployment.records.read(caller.user)).pending, undefined);
  await attempt({ code: app.codeAt(NOW) });
});

test('the old authenticator works until the new one is proven, and after', async () => {
  const deployment = createDeployment();
  const { caller, app } = await enrolled(deployment);
  const proof = (at: number) => ({ code: app.codeAt(at) });
  await enroll(deployment, { caller, name: 'Second', proof: proof(NOW), client: CLIENT, now: NOW });
  await verify(deployment, { caller, proof: proof(NOW + 30), client: CLIENT, now: NOW + 30 });
  const second = await addAuthenticator(deployment, caller, proof(NOW + 60), NOW + 60);
  await verify(deployment, { caller: second.caller, proof: proof(NOW + 90), client: CLIENT, now: NOW + 90 });
});

test('no more authenticators than are configured', async () => {
  const deployment = createDeployment({ totp: { authenticators: 2 } });
  const person = await enrolled(deployment);
  const second = await addAuthenticator(deployment, person.caller, { code: person.app.codeAt(NOW) }, NOW);
  const proof = { code: person.app.codeAt(NOW + 30) };
  const third = enroll(deployment, {
    caller: second.caller,
    name: 'Third',
    proof,
    client: CLIENT,
    now: NOW + 30,
  });
  await assert.rejects(third, refusal('authenticator_limit'));
});

test('two first enrollments at once: one wins whole, the other is told of the conflict', async () => {
  const deployment = createDeployment();
  const { caller } = await session(deployment, 'alice', NOW);
  const begin = (name: string) =>
    enroll(deployment, { caller, name, proof: undefined, password: PASSWORD, client: CLIENT, now: NOW });
  const [first, second] = await Promise.allSettled([begin('One'), begin('Two')]);
  assert.equal(first.status, 'fulfilled');
  assert.equal(second.status === 'rejected' && second.reason.code, 'conflict');
  assert.equal((await deployment.records.read(caller.user)).pending?.id, first.value.authenticatorId);
});

test('a code where there is no second factor yet is refused and stores nothing', async () => {
  const deployment = createDeployment();
  const { caller } = await session(deployment, 'alice', NOW);
  const proof = { code: '123456' };
  await assert.rejects(
    enroll(deployment, { caller, name: 'Phone', proof, client: CLIENT, now: NOW }),
    refusal('not_enrolled'),
  );
  assert.equal((await deployment.records.read(caller.user)).writtenBy, undefined);
});

test('the stored secret is sealed: neither its bytes nor its base32 are in the record', async () => {
  const deployment = createDeployment();
  const { caller } = await session(deployment, 'alice', NOW);
  const { secret } = await enroll(deployment, {
    caller,
    name: 'Phone',
    proof: undefined,
    password: PASSWORD,
    client: CLIENT,
    now: NOW,
  });
  const { pending } = await deployment.records.read(caller.user);
  assert.equal(JSON.stringify(pending).includes(secret), false);
  assert.equal(pending?.secret.box.length, 1 + 12 + 20 + 16);
});

test('the first authenticator of an own session wants the password of its user', async () => {
  const deployment = createDeployment();
  const { caller } = await session(deployment, 'alice', NOW);
  const begin = (password?: string, more: Partial<typeof deployment> = {}) =>
    enroll(
      { ...deployment, ...more },
      { caller, name: 'Phone', proof: undefined, password, client: CLIENT, now: NOW },
    );
  await assert.rejects(begin(), refusal('invalid_request'));
  await assert.rejects(begin('wrong'), refusal('invalid_credentials'));
  const somebodyElse = { check: async () => ({ sub: 'sub-of-bob', username: 'alice' }) };
  await assert.rejects(begin(PASSWORD, { firstFactor: somebodyElse }), refusal('invalid_credentials'));
  const settings = { ...deployment.settings, realm: 'another' };
  await assert.rejects(begin(PASSWORD, { settings }), refusal('invalid_credentials'));
  assert.equal((await deployment.records.read(caller.user)).writtenBy, undefined, 'nothing is written');
  await begin(PASSWORD);
});

test('the password is looked at last: not for a session that is old or has ended', async () => {
  const deployment = createDeployment();
  const { caller } = await session(deployment, 'alice', NOW);
  const firstFactor = { check: () => assert.fail('the password was looked at') };
  const begin = (who: Caller, now = NOW) =>
    enroll(
      { ...deployment, firstFactor },
      { caller: who, name: 'Phone', proof: undefined, password: PASSWORD, client: CLIENT, now },
    );
  await assert.rejects(begin(caller, NOW + 601), refusal('recent_sign_in_required'));
  await assert.rejects(begin({ ...caller, sid: undefined }), refusal('recent_sign_in_required'));
  await deployment.families.end(caller.sid ?? '', NOW + 3600);
  await assert.rejects(begin(caller), refusal('token_invalid'));
});

test('a password is not taken once there is a second factor, and nothing is charged', async () => {
  const deployment = createDeployment();
  const { caller, app } = await enrolled(deployment);
  const before = await deployment.records.read(caller.user);
  const proof = { code: app.wrongCodeAt(NOW) };
  const begin = enroll(deployment, {
    caller,
    name: 'Second',
    proof,
    password: PASSWORD,
    client: CLIENT,
    now: NOW,
  });
  await assert.rejects(begin, refusal('invalid_request'));
  assert.deepEqual(await deployment.records.read(caller.user), before);
});

test("Cognito is asked about a pool session, nobody about another issuer's", async () => {
  const deployment = createDeployment();
  const theirs: Caller = {
    user: { realm: 'users', sub: 'carol' },
    account: 'carol',
    authTime: NOW,
    amr: [],
    generation: undefined,
  };
  const begin = (caller: Caller, password?: string) =>
    enroll(deployment, { caller, name: 'Phone', proof: undefined, password, client: CLIENT, now: NOW });
  await assert.rejects(begin({ ...theirs, isSignedIn: async () => false }), refusal('token_invalid'));
  const silent = { ...theirs, isSignedIn: () => Promise.reject(unavailable()) };
  await assert.rejects(begin(silent), refusal('temporarily_unavailable'));
  await assert.rejects(begin(theirs, PASSWORD), refusal('invalid_request'));
  assert.equal((await deployment.records.read(theirs.user)).writtenBy, undefined);
  await begin({ ...theirs, isSignedIn: async () => true });
  await begin(theirs);
});
