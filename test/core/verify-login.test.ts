import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeJwt } from 'jose';
import { adminRevokeSessions } from '../../core/admin.ts';
import { verifyLogin } from '../../core/verify-login.ts';
import {
  CLIENT,
  challenge,
  createDeployment,
  type Deployment,
  enrolled,
  NOW,
  SUPPORT,
  session,
} from '../support/deployment.ts';
import { refusal } from '../support/refusal.ts';

async function begin() {
  const deployment = createDeployment();
  const person = await enrolled(deployment);
  return { deployment, person, challengeToken: await challenge(deployment, 'alice', NOW) };
}
const answer = (d: Deployment, challengeToken: string, code: string, now = NOW, client = CLIENT) =>
  verifyLogin(d, { challengeToken, proof: { code }, client, now });

test('a right code gives a session of two factors', async () => {
  const { deployment, person, challengeToken } = await begin();
  const { status, method, accessToken, refreshToken, ...more } = await answer(
    deployment,
    challengeToken,
    person.app.codeAt(NOW),
  );
  assert.deepEqual(
    [status, method, more],
    ['authenticated', 'totp', { tokenType: 'Bearer', expiresIn: 300 }],
  );
  const { amr, acr, auth_time } = decodeJwt(accessToken);
  assert.deepEqual([amr, acr, auth_time], [['pwd', 'otp', 'mfa'], 'urn:countersign:2fa', NOW]);
  assert.equal(decodeJwt(refreshToken).exp, NOW + 86_400);
});

test('a challenge is answered once, even by a fresh code', async () => {
  const { deployment, person, challengeToken } = await begin();
  await answer(deployment, challengeToken, person.app.codeAt(NOW));
  const again = answer(deployment, challengeToken, person.app.codeAt(NOW + 30), NOW + 30);
  await assert.rejects(again, refusal('challenge_invalid'));
});

test('a wrong code does not spend the challenge', async () => {
  const { deployment, person, challengeToken } = await begin();
  await assert.rejects(
    answer(deployment, challengeToken, person.app.wrongCodeAt(NOW)),
    refusal('code_rejected'),
  );
  await answer(deployment, challengeToken, person.app.codeAt(NOW));
});

test('a challenge is good for two minutes', async () => {
  const { deployment, person, challengeToken } = await begin();
  const at = (now: number) => answer(deployment, challengeToken, person.app.codeAt(now), now);
  await assert.rejects(at(NOW + 120), refusal('challenge_invalid'));
  await at(NOW + 119);
});

test("a challenge is bound to its client's key", async () => {
  const { deployment, person, challengeToken } = await begin();
  const stolen = answer(deployment, challengeToken, person.app.codeAt(NOW), NOW, 'another');
  await assert.rejects(stolen, refusal('challenge_invalid'));
  await answer(deployment, challengeToken, person.app.codeAt(NOW));
});

test("A's challenge with B's code is refused, and B is not charged", async () => {
  const { deployment, person, challengeToken } = await begin();
  const bob = await enrolled(deployment, 'bob');
  await assert.rejects(answer(deployment, challengeToken, bob.app.codeAt(NOW)), refusal('code_rejected'));
  const failures = async (p: typeof person) => (await deployment.records.read(p.caller.user)).failures;
  assert.deepEqual([await failures(person), await failures(bob)], [1, 0]);
});

test('a new login for every few guesses, with the right password each time: the count goes on', async () => {
  const { deployment, person } = await begin();
  for (let guess = 0; guess < 5; guess++) {
    const token = await challenge(deployment, 'alice', NOW);
    await assert.rejects(answer(deployment, token, person.app.wrongCodeAt(NOW)), refusal('code_rejected'));
  }
  const token = await challenge(deployment, 'alice', NOW);
  await assert.rejects(answer(deployment, token, person.app.codeAt(NOW)), refusal('too_many_attempts'));
});

test('a challenge from before a change of the factor is void', async () => {
  const { deployment, person, challengeToken } = await begin();
  await adminRevokeSessions(deployment, person.caller.user, { by: SUPPORT }, NOW);
  await assert.rejects(
    answer(deployment, challengeToken, person.app.codeAt(NOW)),
    refusal('challenge_invalid'),
  );
});

test('an access or refresh token is no challenge', async () => {
  const { deployment, person } = await begin();
  const bob = await session(deployment, 'bob', NOW);
  for (const token of [bob.accessToken, bob.refreshToken, 'a.b.c', '']) {
    await assert.rejects(answer(deployment, token, person.app.codeAt(NOW)), refusal('challenge_invalid'));
  }
});

test('one challenge answered by two right codes at once opens one session', async () => {
  const { deployment, person, challengeToken } = await begin();
  const codes = [person.app.codeAt(NOW), person.app.codeAt(NOW + 30)];
  const outcomes = await Promise.allSettled(codes.map((code) => answer(deployment, challengeToken, code)));
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
});

test('a further answer leaves earlier challenges answered', async () => {
  const { deployment, person, challengeToken } = await begin();
  await answer(deployment, challengeToken, person.app.codeAt(NOW));
  const other = await challenge(deployment, 'alice', NOW + 30);
  await answer(deployment, other, person.app.codeAt(NOW + 30), NOW + 30);
  const again = answer(deployment, challengeToken, person.app.codeAt(NOW + 60), NOW + 60);
  await assert.rejects(again, refusal('challenge_invalid'));
});
