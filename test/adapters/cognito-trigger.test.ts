import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VerifyAuthChallengeResponseTriggerEvent } from 'aws-lambda';
import { trigger, userOf } from '../../adapters/cognito-trigger.ts';
import { timeLeft } from '../../adapters/deadline.ts';
import { CountersignError, unavailable } from '../../core/error.ts';
import { lambdaContext } from '../support/gateway-event.ts';
import { logged } from '../support/logged.ts';

type Event = VerifyAuthChallengeResponseTriggerEvent;

const CODE = '123456';
const event: Event = {
  version: '1',
  region: 'eu-central-1',
  userPoolId: 'pool-1',
  triggerSource: 'VerifyAuthChallengeResponse_Authentication',
  userName: 'ada',
  callerContext: { awsSdkVersion: '3', clientId: 'client-1' },
  request: {
    userAttributes: { sub: 'sub-1', email: 'ada@example.com' },
    privateChallengeParameters: { challenge: 'challenge-1', generation: 'generation-1' },
    challengeAnswer: CODE,
    clientMetadata: { device: 'device-1' },
  },
  response: { answerCorrect: false },
};
const ids = { invocationId: 'invocation-1', operation: 'verify' };
const line = { level: 'info', ...ids, triggerSource: event.triggerSource };

/** Returns the answer of a trigger that runs this, and the lines it logs. */
async function answerOf(
  run: (event: Event) => Promise<Event['response']>,
  {
    refusal = { answerCorrect: false },
    remaining,
  }: { refusal?: Event['response'] | 'rethrow'; remaining?: number } = {},
) {
  const handler = trigger<Event>('verify', refusal, run);
  const answering = () =>
    handler(event, lambdaContext(remaining)).then(
      ({ response }) => response.answerCorrect,
      (error: Error) => error.message,
    );
  const { done, log } = await logged(answering);
  const lines = log.trim().split('\n');
  return { answer: done, log, lines: lines.map((text): Record<string, unknown> => JSON.parse(text)) };
}

test('each invocation logs one line: operation, trigger and answer; nothing of the request', async () => {
  const { answer, lines } = await answerOf(async () => ({ answerCorrect: true }));
  assert.equal(answer, true);
  assert.deepEqual(lines, [{ ...line, answerCorrect: true }]);
});

test('a refusal logs no error: the one line has its code', async () => {
  const refusing = async () => Promise.reject(new CountersignError('code_rejected', CODE));
  const refused = await answerOf(refusing);
  assert.equal(refused.answer, false);
  assert.deepEqual(refused.lines, [{ ...line, answerCorrect: false, code: 'code_rejected' }]);

  const thrown = await answerOf(refusing, { refusal: 'rethrow' });
  assert.equal(thrown.answer, CODE, 'shown to the client by Cognito');
  assert.deepEqual(thrown.lines, [{ ...line, code: 'code_rejected' }]);
});

test('a failed dependency or a defect logs another line first, without its message', async () => {
  const failed = Object.assign(new Error(CODE), { name: 'TimeoutError' });
  const unread = await answerOf(async () => Promise.reject(unavailable(failed)));
  assert.equal(unread.answer, false);
  assert.deepEqual(unread.lines, [
    { level: 'error', ...ids, code: 'temporarily_unavailable', cause: { error: 'TimeoutError' } },
    { ...line, answerCorrect: false, code: 'temporarily_unavailable' },
  ]);

  const broken = await answerOf(async () => Promise.reject(new TypeError(CODE)));
  const [defect, request] = broken.lines;
  assert.equal(broken.answer, false);
  assert.deepEqual([defect?.['level'], defect?.['error']], ['error', 'TypeError']);
  assert.deepEqual(request, { ...line, answerCorrect: false, code: 'internal_error' });
  assert.equal(broken.lines.length, 2);
  for (const { log } of [unread, broken]) assert.ok(!log.includes(CODE));
});

test('shortly before its time limit a trigger refuses, and logs a timeout', async () => {
  const { answer, lines } = await answerOf(() => new Promise(() => {}), { remaining: 450 });
  assert.equal(answer, false);
  assert.deepEqual(lines, [
    { level: 'error', ...ids, code: 'temporarily_unavailable', cause: { error: 'TimeoutError' } },
    { ...line, answerCorrect: false, code: 'temporarily_unavailable' },
  ]);
});

test('the calls of a trigger to AWS have to end before Cognito gets the answer', async () => {
  let left = 0;
  await answerOf(
    async () => {
      left = timeLeft();
      return { answerCorrect: true };
    },
    { remaining: 3000 },
  );
  assert.ok(left > 0 && left <= 2600, `${left} ms`);
});

test('a user is named by their sub; a user whom Cognito only simulates is nobody', () => {
  const of = (request: Parameters<typeof userOf>[0]['request']) =>
    userOf({ triggerSource: 'DefineAuthChallenge_Authentication', request, response: {} }, 'users');
  const userAttributes = { sub: 'sub-1', email: 'ada@example.com' };
  assert.deepEqual(of({ userAttributes }), { realm: 'users', sub: 'sub-1' });
  assert.deepEqual(of({ userAttributes, userNotFound: false }), { realm: 'users', sub: 'sub-1' });
  assert.equal(of({ userAttributes, userNotFound: true }), undefined);
  for (const nobody of [{}, { sub: '' }, { email: 'ada@example.com' }]) {
    assert.equal(of({ userAttributes: nobody }), undefined);
  }
});
