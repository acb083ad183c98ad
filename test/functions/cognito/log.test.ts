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
    // The listener for administrator actions has its own lines: see admin-sign-out.test.ts.
    if (!operation.startsWith('cognito/') || operation === 'cognito/admin-sign-out') return;
    lines.push(line);
    heard();
  },
});
const person = await createPerson(service);

/**
 * Returns the result of `work` and its next `count` log lines, without the invocation's id. No line names the user.
 * A line may arrive shortly after the response, even after one of the next trigger. So each call waits for its lines.
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

/** Asserts exactly these lines, in any order, because each function writes its own. */
function assertLines(written: object[], expected: object[]): void {
  const sorted = (list: object[]) => list.map((line) => JSON.stringify(Object.entries(line).sort())).sort();
  assert.deepEqual(sorted(written), sorted(expected));
}

/** Signs in up to the second factor. */
const asked = async () => (await linesOf(3, () => challenged(service, person))).done;
// Over the API, PreTokenGeneration is the only trigger that runs.
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

test('a sign-in with a right code logs one line per trigger, each with the response to Cognito', async () => {
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

test('a wrong code, a used code and a malformed code log refusals, not errors', async () => {
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

test('an answer to a used or foreign challenge logs challenge_invalid', async () => {
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

test('while the record cannot be read, the log has the error and still the line of the attempt', async () => {
  const user = await asked();
  const given = nextCode();
  // Creating the next challenge fails too.
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
