import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BusEvent, createEventBus } from '../../src/eventbridge/bus.ts';
import type { InvokeResult } from '../../src/lambda/runtime.ts';
import { ruleDeployments } from './rule-deployment.ts';

const FUNCTION = 'arn:aws:lambda:us-east-1:000000000000:function:listener';
const RULE = 'arn:aws:events:us-east-1:000000000000:rule/listening';
const deploymentOf = ruleDeployments('event-bus', 'listener', 'listening');

/** A bus with one rule, and what its function has been invoked with; each outcome is taken once, then all is well. */
function busWith(pattern: unknown, { permitted = true, outcomes = [] as InvokeResult[] } = {}) {
  const deployment = deploymentOf({ EventPattern: pattern });
  const invoked: unknown[] = [];
  const bus = createEventBus(
    deployment,
    (...asked) => permitted && String(asked) === `${FUNCTION},events.amazonaws.com,${RULE}`,
    async (functionArn, event) => {
      assert.equal(functionArn, FUNCTION);
      invoked.push(event);
      return outcomes.shift() ?? { ok: true, payload: null };
    },
    () => Date.UTC(2026, 10, 24, 12, 0, 0, 500),
  );
  return { bus, invoked };
}

const signedOut: BusEvent = {
  source: 'aws.cognito-idp',
  'detail-type': 'AWS API Call via CloudTrail',
  detail: { eventName: 'AdminUserGlobalSignOut', requestParameters: { userPoolId: 'us-east-1_a' } },
};

test('an event reaches the functions of the rules that match it, in the form that EventBridge gives it', async () => {
  const { bus, invoked } = busWith({ source: ['aws.cognito-idp'] });
  bus.put(signedOut);
  await bus.settled();
  const [{ id, ...event }] = invoked as [Record<string, unknown>];
  assert.match(String(id), /^[0-9a-f-]{36}$/);
  assert.deepEqual(event, {
    version: '0',
    ...signedOut,
    account: '000000000000',
    time: '2026-11-24T12:00:00Z',
    region: 'us-east-1',
    resources: [],
  });
});

test('every field of a pattern has to match, by one of its values', async () => {
  const matching = async (pattern: object, event = signedOut) => {
    const { bus, invoked } = busWith(pattern);
    bus.put(event);
    await bus.settled();
    return invoked.length;
  };
  const failed = { ...signedOut, detail: { ...signedOut.detail, errorCode: 'UserNotFoundException' } };
  const succeeded = { detail: { errorCode: [{ exists: false }] } };
  assert.equal(await matching({ detail: { eventName: ['AdminDisableUser', 'AdminUserGlobalSignOut'] } }), 1);
  assert.equal(await matching({ detail: { requestParameters: { userPoolId: ['us-east-1_a'] } } }), 1);
  assert.equal(await matching(succeeded), 1);
  assert.equal(await matching(succeeded, failed), 0);
  assert.equal(await matching({ source: ['aws.cognito-idp'], detail: { eventName: ['SignUp'] } }), 0);
  assert.equal(await matching({ detail: { nowhere: { at: ['all'] } } }), 0);
  assert.equal(await matching({ source: ['aws.cognito'] }), 0);
});

test('a function that fails is invoked twice more, and no more', async () => {
  const error = { ok: false, error: { errorType: 'Error', errorMessage: 'no' } } as const;
  const pattern = { source: ['aws.cognito-idp'] };
  const passing = busWith(pattern, { outcomes: [error] });
  passing.bus.put(signedOut);
  await passing.bus.settled();
  assert.equal(passing.invoked.length, 2);
  const failing = busWith(pattern, { outcomes: [error, error, error, error] });
  failing.bus.put(signedOut);
  await failing.bus.settled();
  assert.equal(failing.invoked.length, 3);
  assert.deepEqual(failing.invoked[0], failing.invoked[2], 'the same event');
});

test('a rule that could not work in AWS, or that cannot be read here, is refused at the start', () => {
  assert.throws(() => busWith({}, { permitted: false }), /TheRule: EventBridge may not invoke/);
  assert.throws(() => busWith({ source: 'aws.cognito-idp' }), /a pattern's values stand in lists/);
  assert.throws(
    () => busWith({ source: [{ prefix: 'aws.' }] }),
    /comparison \{"prefix":"aws\."\} is not known/,
  );
});
