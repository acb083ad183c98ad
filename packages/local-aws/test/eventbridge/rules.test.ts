import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkSchedules } from '../../src/eventbridge/rules.ts';
import { ruleDeployments } from './rule-deployment.ts';

const JOB_ARN = 'arn:aws:lambda:us-east-1:000000000000:function:job';
const deploymentOf = ruleDeployments('schedules', 'job', 'hourly');

/** Asks about a rule with these properties; EventBridge may invoke the function for that one rule or for none. */
function check(rule: object, permitted = true): void {
  const deployment = deploymentOf({ ScheduleExpression: 'rate(1 hour)', ...rule });
  checkSchedules(
    deployment,
    (...asked) =>
      permitted &&
      String(asked) === `${JOB_ARN},events.amazonaws.com,arn:aws:events:us-east-1:000000000000:rule/hourly`,
  );
}

test('a schedule whose function EventBridge may invoke is accepted, and runs nothing', () => {
  check({});
  check({ ScheduleExpression: 'rate(15 minutes)' });
});

test('a missing permission fails here, as it would in AWS', () => {
  assert.throws(
    () => check({}, false),
    /^Error: TheRule: EventBridge may not invoke arn:aws:lambda:.*:job for it\.$/,
  );
});

test('what EventBridge would refuse, or this machine does not know, is refused', () => {
  for (const ScheduleExpression of [
    'rate(1 hours)',
    'rate(0 days)',
    'rate(2 hour)',
    'cron(0 12 * * ? *)',
    undefined,
  ]) {
    assert.throws(() => check({ ScheduleExpression }), /TheRule: the schedule .* is not known here/);
  }
  assert.throws(() => check({ RoleArn: 'arn' }), /property RoleArn is not known here/);
  assert.throws(
    () => check({ Targets: [{ Id: 'x', Arn: 'arn:aws:sqs:us-east-1:000000000000:q' }] }),
    /TheRule: its target .* is no function/,
  );
});
