import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  createChallenge,
  defineNextStep,
  type PrivateParameters,
  type Step,
  verifyAnswer,
} from '../../core/custom-auth.ts';
import { rotateBackupCodes } from '../../core/rotate-backup-codes.ts';
import type { User } from '../../core/user.ts';
import { CLIENT, createDeployment, enrolled, NOW } from '../support/deployment.ts';
import { afterPassword, notRight, passwordProved, withoutPassword } from '../support/hostile-histories.ts';
import { refusal } from '../support/refusal.ts';

const deployment = createDeployment();
const alice = await enrolled(deployment);
const { user } = alice.caller;
const without: User = { realm: 'users', sub: 'sub-of-nobody' };
const define = (session: Step[], who: User | undefined = user) => defineNextStep(deployment, who, session);
const wrong: Step = { challengeName: 'CUSTOM_CHALLENGE', challengeResult: false };
const right: Step = { challengeName: 'CUSTOM_CHALLENGE', challengeResult: true };

test('the steps of a sign-in: SRP, the password, the second factor up to three times, tokens', async () => {
  const steps = [
    await define(passwordProved.slice(0, 1)),
    await define(passwordProved),
    await define([...passwordProved, wrong]),
    await define([...passwordProved, wrong, wrong]),
    await define([...passwordProved, wrong, wrong, right]),
    await define([...passwordProved, right]),
    await define(passwordProved, without),
  ];
  assert.deepEqual(steps, [
    'PASSWORD_VERIFIER',
    'CUSTOM_CHALLENGE',
    'CUSTOM_CHALLENGE',
    'CUSTOM_CHALLENGE',
    'tokens',
    'tokens',
    'tokens',
  ]);
});

for (const [what, session] of withoutPassword) {
  test(`a history of ${what} gets neither tokens nor a challenge`, async () => {
    for (const who of [user, without]) {
      assert.equal(await define(session, who), 'refuse');
      assert.equal(await createChallenge(deployment, who, session), undefined);
    }
  });
}

for (const [what, session] of afterPassword) {
  test(`a history of ${what} after the password ends the sign-in`, async () => {
    assert.equal(await define(session), 'refuse');
  });
}

test('a result that is not exactly true is a wrong answer', async () => {
  for (const session of notRight) assert.equal(await define(session), 'CUSTOM_CHALLENGE');
});

test('an unknown user gets nothing after the password, whatever the history says', async () => {
  for (const more of [[], [wrong], [right]]) {
    const session = [...passwordProved, ...more];
    assert.equal(await defineNextStep(deployment, undefined, session), 'refuse');
    assert.equal(await createChallenge(deployment, undefined, session), undefined);
  }
});

test('of all histories those with the password first, and then nothing but wrong answers and a right one at last, get tokens', async () => {
  const names = ['SRP_A', 'PASSWORD_VERIFIER', 'CUSTOM_CHALLENGE', 'SMS_MFA', 'NEW_PASSWORD_REQUIRED', 'x'];
  const any = fc.record({ challengeName: fc.constantFrom(...names), challengeResult: fc.boolean() });
  const session = fc.oneof(
    fc.array(any, { maxLength: 6 }),
    fc
      .array(fc.oneof(fc.constantFrom(wrong, right), any), { maxLength: 5 })
      .map((answers) => [...passwordProved, ...answers]),
  );
  const said = (steps: Step[]) =>
    steps.map(({ challengeName, challengeResult }) => `${challengeName} ${challengeResult}`).join();
  const tokens = /^SRP_A true,PASSWORD_VERIFIER true(,CUSTOM_CHALLENGE false){0,2},CUSTOM_CHALLENGE true$/;
  await fc.assert(
    fc.asyncProperty(session, async (steps) => {
      assert.equal((await define(steps)) === 'tokens', tokens.test(said(steps)), said(steps));
    }),
    { numRuns: 1000 },
  );
});

/** Answers a challenge of this id, made for this generation. */
async function answer(given: unknown, changes: Partial<PrivateParameters> = {}, now = NOW): Promise<void> {
  const { generation } = await deployment.records.read(user);
  const hidden = { passwordProved: 'true' as const, generation, challenge: 'challenge-000001', ...changes };
  await verifyAnswer(deployment, { user, answer: given, hidden, client: CLIENT, now });
}

test('a challenge is answered once, and its answer is remembered by its id', async () => {
  const now = NOW + 60;
  await answer(alice.app.codeAt(now), {}, now);
  const before = await deployment.records.read(user);
  assert.deepEqual(Object.keys(before.answered), ['challenge-000001']);
  await assert.rejects(answer(alice.app.codeAt(now + 30), {}, now + 30), refusal('challenge_invalid'));
  assert.deepEqual(await deployment.records.read(user), before, 'nothing is charged');
});

test('an answer without the hidden parameters of its challenge is refused, and nothing is charged', async () => {
  const before = await deployment.records.read(user);
  const code = alice.app.codeAt(NOW + 600);
  const inherited = JSON.parse('{"__proto__":{"passwordProved":"true","generation":"x","challenge":"y"}}');
  const spoilt: Partial<Record<keyof PrivateParameters, unknown>>[] = [
    { passwordProved: undefined },
    { passwordProved: 'false' },
    { passwordProved: true },
    { generation: undefined },
    { generation: '' },
    { generation: 'of another time' },
    { challenge: undefined },
    { challenge: '' },
    { challenge: '__proto__' },
    { challenge: 'constructor' },
    { challenge: 'hasOwnProperty' },
    { challenge: 'x'.repeat(1000) },
  ];
  for (const changes of spoilt) {
    const hidden = { challenge: 'challenge-000002', ...(changes as Partial<PrivateParameters>) };
    const refused = answer(code, hidden, NOW + 600);
    await assert.rejects(refused, refusal('challenge_invalid'), JSON.stringify(changes));
  }
  for (const hidden of [{}, inherited]) {
    const refused = verifyAnswer(deployment, { user, answer: code, hidden, client: CLIENT, now: NOW + 600 });
    await assert.rejects(refused, refusal('challenge_invalid'));
  }
  assert.deepEqual(await deployment.records.read(user), before);
  // It was for the parameters alone.
  await answer(code, { challenge: 'challenge-000002' }, NOW + 600);
});

test('what is no code is no attempt', async () => {
  const before = await deployment.records.read(user);
  for (const given of [
    undefined,
    null,
    '',
    123456,
    true,
    ['123456'],
    { code: '123456' },
    '12345',
    '1234567',
    'x'.repeat(17),
    '{"code":"123456"}',
    `123456${' '.repeat(59)}`,
    '1'.repeat(1_000_000),
  ]) {
    await assert.rejects(answer(given), refusal('invalid_request'));
  }
  assert.deepEqual(await deployment.records.read(user), before);
});

async function challenged() {
  const deployment = createDeployment();
  const person = await enrolled(deployment);
  const { user } = person.caller;
  const made = await createChallenge(deployment, user, passwordProved);
  const hidden = made?.hidden ?? assert.fail('no challenge');
  const answer = (code: string, now: number, given = hidden) =>
    verifyAnswer(deployment, { user, answer: code, hidden: given, client: CLIENT, now });
  return { deployment, person, user, answer };
}

test('a further answer leaves earlier challenges answered, for as long as their sessions may live', async () => {
  const { deployment, person, user, answer } = await challenged();
  await answer(person.app.codeAt(NOW), NOW);
  for (const later of [30, 450, 870]) {
    const now = NOW + later;
    const again = answer(person.app.codeAt(now), now);
    await assert.rejects(again, refusal('challenge_invalid'));
    // Each write lets go of what has expired.
    const other = await createChallenge(deployment, user, passwordProved);
    const wrong = answer(person.app.wrongCodeAt(now), now, other?.hidden);
    await assert.rejects(wrong, refusal('code_rejected'));
  }
});

test('a challenge ends with the generation that it was made in', async () => {
  const { deployment, person, answer } = await challenged();
  const { caller, app } = person;
  await rotateBackupCodes(deployment, { caller, code: app.codeAt(NOW), client: CLIENT, now: NOW });
  await assert.rejects(answer(app.codeAt(NOW + 30), NOW + 30), refusal('challenge_invalid'));
});

test('a wrong answer is counted where every other one is', async () => {
  const { deployment, person, user, answer } = await challenged();
  await assert.rejects(answer(person.app.wrongCodeAt(NOW), NOW), refusal('code_rejected'));
  assert.equal((await deployment.records.read(user)).failures, 1);
});
