import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createChallenge,
  defineNextStep,
  type PrivateParameters,
  type Step,
  verifyAnswer,
} from '../../core/custom-auth.ts';
import { rotateBackupCodes } from '../../core/rotate-backup-codes.ts';
import { CLIENT, createDeployment, enrolled, NOW, type Person } from '../support/deployment.ts';
import { refusal } from '../support/refusal.ts';

const step = (challengeName: string, challengeResult = true): Step => ({ challengeName, challengeResult });
const srp = step('SRP_A');
const password = step('PASSWORD_VERIFIER');
const right = step('CUSTOM_CHALLENGE');
const wrong = step('CUSTOM_CHALLENGE', false);

async function begun() {
  const deployment = createDeployment();
  const person = await enrolled(deployment);
  const { user } = person.caller;
  const made = await createChallenge(deployment, user, [srp, password]);
  const hidden = made?.hidden ?? assert.fail('no challenge');
  const answer = (text: unknown, given: Partial<PrivateParameters> = hidden, now = NOW) =>
    verifyAnswer(deployment, { user, answer: text, hidden: given, now });
  return { deployment, person, user, hidden, answer };
}

const histories: [history: Step[], next: string][] = [
  [[srp], 'PASSWORD_VERIFIER'],
  [[srp, password], 'CUSTOM_CHALLENGE'],
  [[srp, password, wrong], 'CUSTOM_CHALLENGE'],
  [[srp, password, wrong, wrong], 'CUSTOM_CHALLENGE'],
  [[srp, password, right], 'tokens'],
  [[srp, password, wrong, wrong, right], 'tokens'],
  [[srp, password, wrong, wrong, wrong], 'refuse'],
  [[], 'refuse'],
  [[step('SRP_A', false)], 'refuse'],
  [[step('SRP_A', false), password, right], 'refuse'],
  [[right], 'refuse'],
  [[right, password, right], 'refuse'],
  [[password, password, right], 'refuse'],
  [[srp, step('PASSWORD_VERIFIER', false)], 'refuse'],
  [[srp, step('PASSWORD_VERIFIER', false), right], 'refuse'],
  [[srp, right], 'refuse'],
  [[srp, right, right], 'refuse'],
  [[srp, password, password], 'refuse'],
  [[srp, password, step('SMS_MFA'), right], 'refuse'],
  [[srp, password, step('DEVICE_SRP_AUTH')], 'refuse'],
  [[srp, password, right, wrong], 'refuse'],
  [[srp, password, right, right], 'refuse'],
];
for (const [history, next] of histories) {
  const told = history.map(
    ({ challengeName, challengeResult }) => `${challengeResult ? '' : 'not '}${challengeName}`,
  );
  test(`after ${told.join(', ') || 'nothing'}: ${next}`, async () => {
    const { deployment, user } = await begun();
    assert.equal(await defineNextStep(deployment, user, history), next);
  });
}

test('an unknown user gets the steps of a known one, and no tokens', async () => {
  const deployment = createDeployment();
  assert.equal(await defineNextStep(deployment, undefined, [srp]), 'PASSWORD_VERIFIER');
  for (const history of [
    [srp, password],
    [srp, password, right],
  ]) {
    assert.equal(await defineNextStep(deployment, undefined, history), 'refuse');
  }
  assert.equal(await createChallenge(deployment, undefined, [srp, password]), undefined);
});

test('a challenge is made after the right password only', async () => {
  const { deployment, user } = await begun();
  for (const history of [
    [],
    [srp],
    [password],
    [step('SRP_A', false), password],
    [srp, step('PASSWORD_VERIFIER', false)],
    [right, password],
    [srp, right],
  ]) {
    assert.equal(await createChallenge(deployment, user, history), undefined);
  }
});

test('an answer without what the challenge hid from the client is no attempt', async () => {
  const { deployment, person, user, hidden, answer } = await begun();
  const before = await deployment.records.read(user);
  for (const name of ['passwordProved', 'generation', 'challenge'] as const) {
    const { [name]: _, ...rest } = hidden;
    await assert.rejects(answer(person.app.codeAt(NOW), rest), refusal('challenge_invalid'));
  }
  assert.deepEqual(await deployment.records.read(user), before);
});

test('a challenge is answered once, for as long as its session may live', async () => {
  const { deployment, person, user, hidden, answer } = await begun();
  await answer(person.app.codeAt(NOW));
  for (const later of [30, 450, 870]) {
    const now = NOW + later;
    const again = answer(person.app.codeAt(now), hidden, now);
    await assert.rejects(again, refusal('challenge_invalid'));
    // Each write lets go of what has expired.
    const other = await createChallenge(deployment, user, [srp, password]);
    await assert.rejects(answer(person.app.wrongCodeAt(now), other?.hidden, now), refusal('code_rejected'));
  }
});

test('a further answer leaves earlier challenges answered', async () => {
  const { deployment, person, user, hidden, answer } = await begun();
  await answer(person.app.codeAt(NOW));
  const other = await createChallenge(deployment, user, [srp, password]);
  await answer(person.app.codeAt(NOW + 30), other?.hidden, NOW + 30);
  const again = answer(person.app.codeAt(NOW + 60), hidden, NOW + 60);
  await assert.rejects(again, refusal('challenge_invalid'));
});

test('a challenge ends with the generation that it was made in', async () => {
  const { deployment, person, answer } = await begun();
  await rotated(deployment, person);
  const late = answer(person.app.codeAt(NOW + 30), undefined, NOW + 30);
  await assert.rejects(late, refusal('challenge_invalid'));
});

test('what is no code, and a proof that the challenge does not ask for, is no attempt', async () => {
  const { deployment, user, answer } = await begun();
  const before = await deployment.records.read(user);
  for (const text of ['', '12345', '1234567', 'what?', 123456, null]) {
    await assert.rejects(answer(text), refusal('invalid_request'));
  }
  assert.deepEqual(await deployment.records.read(user), before);
});

test('a wrong answer is counted where every other one is', async () => {
  const { deployment, person, user, answer } = await begun();
  await assert.rejects(answer(person.app.wrongCodeAt(NOW)), refusal('code_rejected'));
  assert.equal((await deployment.records.read(user)).failures, 1);
});

function rotated(deployment: ReturnType<typeof createDeployment>, { caller, app }: Person) {
  return rotateBackupCodes(deployment, { caller, code: app.codeAt(NOW), client: CLIENT, now: NOW });
}
