import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { AwsError } from '../../src/aws-error.ts';
import { readSettings } from '../../src/cognito/settings.ts';
import { createTriggers, type InvokeTrigger } from '../../src/cognito/triggers.ts';
import { named } from '../../testing/cognito.ts';

const settings = readSettings('pool', { LambdaConfig: { DefineAuthChallenge: 'arn:define' } });

function define(invoke: InvokeTrigger) {
  const call = createTriggers({ poolId: 'pool', region: 'eu-central-1', settings, invoke });
  return call({
    trigger: 'DefineAuthChallenge',
    source: 'Authentication',
    username: 'alice',
    clientId: 'app',
    request: { session: [] },
    response: { issueTokens: null },
  });
}

test('a trigger that is slower than five seconds is called again, three times in all', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let calls = 0;
  const answer = define(() => {
    calls += 1;
    return new Promise(() => undefined);
  });
  const ended = assert.rejects(answer, named('UnexpectedLambdaException', /Socket timeout/));
  for (const called of [1, 2, 3]) {
    assert.equal(calls, called);
    t.mock.timers.tick(4999);
    await turn();
    assert.equal(calls, called);
    t.mock.timers.tick(1);
    await turn();
  }
  await ended;
  assert.equal(calls, 3);
});

test('the answer of the attempt that is still awaited counts, a late one does not', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const late = Promise.withResolvers<unknown>();
  let calls = 0;
  const answer = define(async (_, event) => {
    calls += 1;
    if (calls === 1) return late.promise;
    return { ...(event as object), response: { issueTokens: false } };
  });
  t.mock.timers.tick(5000);
  late.resolve({ response: { issueTokens: true } });
  assert.deepEqual(await answer, { issueTokens: false });
});

test('a trigger that throws is not called again, and one that cannot be invoked is another error', async () => {
  let calls = 0;
  await assert.rejects(
    define(async () => {
      calls += 1;
      throw new Error('no luck');
    }),
    named('UserLambdaValidationException', 'DefineAuthChallenge failed with error no luck.'),
  );
  assert.equal(calls, 1);
  await assert.rejects(
    define(async () => {
      throw new AwsError('AccessDeniedException', 'not yours');
    }),
    named('UnexpectedLambdaException'),
  );
});

test('a pool with a trigger that would silently not be called does not start', () => {
  assert.throws(
    () => readSettings('pool', { LambdaConfig: { CustomMessage: 'arn:message' } }),
    /CustomMessage/,
  );
});
