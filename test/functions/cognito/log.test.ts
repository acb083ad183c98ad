import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../../support/native-powers.ts';
import { clientOf, enrollPerson } from '../../support/client.ts';
import { answer, challenged, fullSession } from '../../support/cognito-sign-in.ts';
import { during } from '../../support/faults.ts';
import { createPerson } from '../../support/people.ts';
import { serviceForTests } from '../../support/service.ts';

const lines: string[] = [];
let heard = () => {};
const service = await serviceForTests(undefined, {
  onLog(operation, line) {
    // What listens to administrators has lines of its own: see admin-sign-out.test.ts.
    if (!operation.startsWith('cognito/') || operation === 'cognito/admin-sign-out') return;
    lines.push(line);
    heard();
  },
});
const person = await createPerson(service);

/**
 * What `work` gives, and the lines that it logs: so many, without the invocation's id. None says who signs in. A line may
 * come shortly after the answer, and after that of the next trigger: whatever runs one here waits for its lines.
 */
async function linesOf<T>(count: number, work: () => Promise<T>) {
  const done = await work();
  while (lines.length < count) {
    const { promise, resolve } = Promise.withResolvers<void>();
    heard = resolve;
    await promise;
  }
  const written = lines.splice(0).map((line) => {
    for (const name of [person.sub, person.username]) assert.ok(!line.includes(name), line);
    const { invocationId, ...said } = JSON.parse(line);
    assert.equal(typeof invocationId, 'string');
    return said;
  });
  return { done, written };
}

/** These and no others, in any order: each function writes on its own. */
function assertLines(written: object[], expected: object[]): void {
  const sorted = (list: object[]) => list.map((line) => JSON.stringify(Object.entries(line).sort())).sort();
  assert.deepEqual(sorted(written), sorted(expected));
}

/** Past the password. */
const asked = async () => (await linesOf(3, () => challenged(service, person))).done;
// By the API: of the triggers only the one before tokens runs.
const { code, nextCode, wrongCode } = (
  await linesOf(1, () => enrollPerson(service, clientOf(service), person))
).done;

const triggered = (operation: string, triggerSource: string) => (told: object) => ({
  level: 'info',
  operation: `cognito/${operation}`,
  triggerSource: `${triggerSource}_Authentication`,
  ...told,
});
const defined = triggered('define-auth-challenge', 'DefineAuthChallenge');
const created = triggered('create-auth-challenge', 'CreateAuthChallenge')({ methods: 'totp,backup_code' });
const verified = triggered('verify-auth-challenge-response', 'VerifyAuthChallengeResponse');
const next = (challengeName: string) =>
  defined({ challengeName, issueTokens: false, failAuthentication: false });
const refused = (code: string) => [
  verified({ answerCorrect: false, code }),
  next('CUSTOM_CHALLENGE'),
  created,
];

test('a sign-in with a right code is a line a trigger, and each says what Cognito was told', async () => {
  const { written } = await linesOf(6, () => fullSession(service, person, code()));
  assertLines(written, [
    next('PASSWORD_VERIFIER'),
    next('CUSTOM_CHALLENGE'),
    created,
    verified({ answerCorrect: true }),
    defined({ challengeName: '', issueTokens: true, failAuthentication: false }),
    triggered('pre-token-generation', 'TokenGeneration')({}),
  ]);
});

test('a wrong code, one used before and what is no code are refusals, and no error', async () => {
  const used = nextCode();
  await linesOf(6, () => fullSession(service, person, used));
  const user = await asked();
  for (const given of [wrongCode(), used]) {
    const { written } = await linesOf(3, () => answer(user, given));
    assertLines(written, refused('code_rejected'));
  }
  const { written } = await linesOf(2, () => answer(user, 'no code').catch(() => undefined));
  assertLines(written, [
    verified({ answerCorrect: false, code: 'invalid_request' }),
    defined({ challengeName: '', issueTokens: false, failAuthentication: true }),
  ]);
});

test('an answer to a challenge that was answered, or that is none of ours, says so', async () => {
  const request = { userAttributes: { sub: person.sub }, session: succeeded('SRP_A', 'PASSWORD_VERIFIER') };
  const { done: challenge } = await linesOf(1, () =>
    service.invoke('cognito/create-auth-challenge', { request, response: {} }),
  );
  assert.ok(challenge.ok);
  const { response } = challenge.payload as { response: { privateChallengeParameters: object } };
  const judged = async (privateChallengeParameters: object, challengeAnswer: string) => {
    const { written } = await linesOf(1, () =>
      service.invoke('cognito/verify-auth-challenge-response', {
        triggerSource: 'VerifyAuthChallengeResponse_Authentication',
        request: { ...request, privateChallengeParameters, challengeAnswer },
        response: {},
      }),
    );
    return written;
  };
  const invalid = [verified({ answerCorrect: false, code: 'challenge_invalid' })];
  const hidden = response.privateChallengeParameters;
  assert.deepEqual(await judged(hidden, nextCode()), [verified({ answerCorrect: true })]);
  assert.deepEqual(await judged(hidden, nextCode()), invalid);
  assert.deepEqual(await judged({}, code()), invalid);
});

function succeeded(...names: string[]) {
  return names.map((challengeName) => ({ challengeName, challengeResult: true }));
}

test('while the record cannot be read, that is the error, and the attempt is a line all the same', async () => {
  const user = await asked();
  const given = nextCode();
  // The challenge after it cannot be made either.
  const { written } = await linesOf(5, () =>
    during(service, 'error', ['GetItem'], () => answer(user, given).catch(() => undefined)),
  );
  assert.equal(written.length, 5);
  const [failed, verifying] = written.filter(({ operation }) => operation.includes('verify'));
  const { level, code: failedWith, cause } = failed;
  assert.deepEqual([level, failedWith], ['error', 'temporarily_unavailable']);
  assert.equal(cause.call, 'DynamoDBClient GetItemCommand');
  assert.deepEqual(verifying, verified({ answerCorrect: false, code: 'temporarily_unavailable' }));
});
