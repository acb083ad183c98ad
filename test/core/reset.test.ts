// What an administrator's reset leaves: an account that the old password alone does not open.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adminReset, adminStatus, revokeSessions } from '../../core/admin.ts';
import { createChallenge, defineNextStep, verifyAnswer } from '../../core/custom-auth.ts';
import { enroll } from '../../core/enroll.ts';
import { refuseAfterNewPassword } from '../../core/enrollment-policy.ts';
import { newTicket } from '../../core/enrollment-ticket.ts';
import { refresh } from '../../core/refresh.ts';
import { status } from '../../core/status.ts';
import { typedCode } from '../../core/typed-code.ts';
import { verifyLogin } from '../../core/verify-login.ts';
import {
  CLIENT,
  callerOf,
  challenge,
  createDeployment,
  type Deployment,
  enrolled,
  enrolledByTicket,
  NOW,
  PASSWORD,
  SUPPORT,
  session,
  signIn,
} from '../support/deployment.ts';
import { refusal } from '../support/refusal.ts';

const ACT = { by: SUPPORT };
const HOUR = 3600;

/** Somebody enrolled, whose factor was reset at NOW. */
async function afterReset(settings: Parameters<typeof createDeployment>[0] = {}) {
  const deployment = createDeployment(settings);
  const person = await enrolled(deployment);
  const { user } = person.caller;
  const answer = await adminReset(deployment, user, ACT, NOW);
  return { deployment, person, user, answer, ticket: typedCode(answer.enrollmentTicket ?? '') };
}

const verifyWith = async (deployment: Deployment, enrollmentTicket: string, now: number) =>
  verifyLogin(deployment, {
    challengeToken: await challenge(deployment, 'alice', now),
    proof: { enrollmentTicket },
    client: CLIENT,
    now,
  });

test('the answer shows the ticket once; support sees that one is waiting, and until when', async () => {
  const { deployment, user, answer } = await afterReset();
  assert.match(answer.enrollmentTicket ?? '', /^(?:[0-9a-z]{4}-){3}[0-9a-z]{4}$/);
  assert.deepEqual([answer.enrollmentNeeds, answer.ticketExpiresAt], ['ticket', NOW + 86_400]);
  const seen = await adminStatus(deployment, user, NOW);
  assert.equal('enrollmentTicket' in seen, false);
});

test('the password leads to a challenge that only the ticket answers', async () => {
  const { deployment, person, ticket } = await afterReset();
  const answer = await signIn(deployment, 'alice', NOW + 1);
  assert.ok(answer.status === 'challenge');
  assert.deepEqual(answer.methods, ['enrollment_ticket']);
  const { challengeToken } = answer;
  const input = { challengeToken, client: CLIENT, now: NOW + 1 };
  for (const proof of [{ code: person.app.codeAt(NOW + 60) }, { backupCode: person.backupCodes[0] ?? '' }]) {
    await assert.rejects(verifyLogin(deployment, { ...input, proof }), refusal('invalid_request'));
  }
  const opened = await verifyLogin(deployment, { ...input, proof: { enrollmentTicket: ticket } });
  assert.deepEqual([opened.method, opened.enrollmentRequired], ['enrollment_ticket', true]);
});

test('a session by ticket has seen the password alone, and can do nothing but enroll', async () => {
  const { deployment, ticket } = await afterReset();
  const { accessToken, refreshToken } = await verifyWith(deployment, ticket, NOW + 1);
  const caller = await callerOf(deployment, accessToken, NOW + 1);
  assert.deepEqual([caller.amr, caller.enrollmentRequired], [['pwd'], true]);
  await assert.rejects(status(deployment, caller), refusal('enrollment_required'));
  const again = refresh(deployment, { refreshToken, client: CLIENT, now: NOW + 1 });
  await assert.rejects(again, refusal('enrollment_required'));
  const input = { caller, name: 'Phone', password: PASSWORD, client: CLIENT, now: NOW + 1 };
  await assert.rejects(
    enroll(deployment, { ...input, proof: undefined }),
    refusal('enrollment_ticket_required'),
  );
  await assert.rejects(
    enroll(deployment, { ...input, proof: { enrollmentTicket: '0000000000000000' } }),
    refusal('code_rejected'),
  );
  await enroll(deployment, { ...input, proof: { enrollmentTicket: ticket } });
});

test('a ticket is gone with the enrollment it leads to', async () => {
  const { deployment, user, ticket } = await afterReset();
  const person = await enrolledByTicket(deployment, 'alice', ticket, NOW + 1);
  assert.equal((await deployment.records.read(user)).reset, undefined);
  const challengeToken = await challenge(deployment, 'alice', NOW + 2);
  const proof = { enrollmentTicket: ticket };
  const input = { challengeToken, proof, client: CLIENT, now: NOW + 2 };
  await assert.rejects(verifyLogin(deployment, input), refusal('invalid_request'));
  const further = enroll(deployment, {
    caller: person.caller,
    name: 'Second',
    proof,
    client: CLIENT,
    now: NOW + 2,
  });
  await assert.rejects(further, refusal('invalid_request'));
});

test('a ticket is over on its last second; another reset gives another, and the first is dead', async () => {
  const { deployment, user, ticket } = await afterReset({ lifetimes: { enrollmentTicket: HOUR } });
  await assert.rejects(verifyWith(deployment, ticket, NOW + HOUR), refusal('code_rejected'));
  await verifyWith(deployment, ticket, NOW + HOUR - 1);
  const { enrollmentTicket = '' } = await adminReset(deployment, user, ACT, NOW + HOUR);
  await assert.rejects(verifyWith(deployment, ticket, NOW + HOUR + 1), refusal('code_rejected'));
  await verifyWith(deployment, typedCode(enrollmentTicket), NOW + HOUR + 1);
});

test('guesses at a ticket lock nothing and stop nothing', async () => {
  const { deployment, user, ticket } = await afterReset();
  for (let guess = 0; guess < 101; guess++) {
    await assert.rejects(verifyWith(deployment, '0000000000000000', NOW), refusal('code_rejected'));
  }
  const { failures, backupFailures } = await deployment.records.read(user);
  assert.deepEqual([failures, backupFailures], [0, 100]);
  await verifyWith(deployment, ticket, NOW);
});

test("another user's ticket is no ticket, nor one whose digest was copied", async () => {
  const { deployment, user, ticket } = await afterReset();
  const bob = await enrolled(deployment, 'bob');
  await adminReset(deployment, bob.caller.user, ACT, NOW);
  const copied = await deployment.records.read(user);
  const bobs = await deployment.records.read(bob.caller.user);
  deployment.records.put(bob.caller.user, { ...bobs, reset: copied.reset });
  const challengeToken = await challenge(deployment, 'bob', NOW);
  const input = { challengeToken, proof: { enrollmentTicket: ticket }, client: CLIENT, now: NOW };
  await assert.rejects(verifyLogin(deployment, input), refusal('code_rejected'));
});

test('a ticket without its key is a fault, and lets nobody in', async () => {
  const { deployment, user, ticket } = await afterReset();
  const factor = await deployment.records.read(user);
  const stored = factor.reset?.ticket ?? assert.fail();
  deployment.records.put(user, { ...factor, reset: { ticket: { ...stored, keyId: 'gone' } } });
  await assert.rejects(verifyWith(deployment, ticket, NOW), refusal('temporarily_unavailable'));
});

test('by configuration a newer password does instead: the old one signs nobody in', async () => {
  const { deployment, user, answer } = await afterReset({ afterReset: 'new_password' });
  assert.deepEqual(
    [answer.enrollmentTicket, answer.enrollmentNeeds, answer.ticketExpiresAt],
    [undefined, 'new_password', null],
  );
  await assert.rejects(signIn(deployment, 'alice', NOW + 1), refusal('new_password_required'));
  await revokeSessions(deployment.records, user, { passwordSetAt: NOW }, NOW + 1);
  await assert.rejects(signIn(deployment, 'alice', NOW + 1), refusal('new_password_required'));
  await revokeSessions(deployment.records, user, { passwordSetAt: NOW + 1 }, NOW + 1);
  const opened = await session(deployment, 'alice', NOW + 2);
  assert.equal(opened.enrollmentRequired, true);
  await enrolled(deployment, 'alice', NOW + 3);
});

test('a password chosen between a stop and its reset is new enough', async () => {
  const deployment = createDeployment({ afterReset: 'new_password' });
  const { caller } = await enrolled(deployment);
  const factor = await deployment.records.read(caller.user);
  deployment.records.put(caller.user, { ...factor, failures: 100, stoppedAt: NOW - HOUR });
  await revokeSessions(deployment.records, caller.user, { passwordSetAt: NOW - 60 }, NOW - 60);
  await adminReset(deployment, caller.user, ACT, NOW);
  await enrolled(deployment, 'alice', NOW + 1);
});

test('users of another realm get a ticket', async () => {
  const deployment = createDeployment({ afterReset: 'new_password' });
  const user = { realm: 'partners', sub: 'carol' };
  deployment.records.put(user, await deployment.records.read(user));
  assert.ok((await adminReset(deployment, user, ACT, NOW)).enrollmentTicket);
});

/** Of a sign-in at Cognito whose password was right. */
const history = [
  { challengeName: 'SRP_A', challengeResult: true },
  { challengeName: 'PASSWORD_VERIFIER', challengeResult: true },
];

test("Cognito's sign-in asks for the ticket too, and takes it as an answer", async () => {
  const { deployment, user, ticket } = await afterReset();
  assert.equal(await defineNextStep(deployment, user, history), 'CUSTOM_CHALLENGE');
  const made = await createChallenge(deployment, user, history);
  assert.equal(made?.methods, 'enrollment_ticket');
  const hidden = made?.hidden ?? {};
  const answer = (text: string) =>
    verifyAnswer(deployment, { user, answer: text, hidden, client: CLIENT, now: NOW });
  await assert.rejects(answer('123456'), refusal('invalid_request'));
  await assert.rejects(answer('0000000000000000'), refusal('code_rejected'));
  await answer(ticket);
  await assert.rejects(answer(ticket), refusal('challenge_invalid'));
  const factor = await deployment.records.read(user);
  assert.throws(() => refuseAfterNewPassword(factor), refusal('recent_sign_in_required'));
});

test("Cognito's sign-in with the old password is refused where a newer one is wanted", async () => {
  const { deployment, user } = await afterReset({ afterReset: 'new_password' });
  assert.equal(await defineNextStep(deployment, user, history), 'refuse');
  await revokeSessions(deployment.records, user, { passwordSetAt: NOW + 1 }, NOW + 1);
  assert.equal(await defineNextStep(deployment, user, history), 'tokens');
});

test('two tickets are never alike, and of one the digest alone is kept', async () => {
  const { deployment, user } = await afterReset();
  const key = await deployment.keyring.current('backup-code', NOW);
  const tickets = Array.from({ length: 50 }, () => newTicket(user, key, NOW));
  assert.equal(new Set(tickets.map(({ ticket }) => ticket)).size, 50);
  for (const { ticket, stored } of tickets) {
    assert.equal(stored.digest.length, 16);
    assert.ok(!JSON.stringify(stored).includes(ticket.replaceAll('-', '')));
  }
});
