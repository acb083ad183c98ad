import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { checkSchedules } from '../../local/schedules.ts';
import { openIdentifiers } from '../../local/template/identifiers.ts';
import { readDeployment } from '../../local/template.ts';
import { scratchFolder, writeAssembly } from './assembly.ts';

const root = scratchFolder('schedules');
after(() => rmSync(root, { recursive: true }));

const JOB_ARN = 'arn:aws:lambda:us-east-1:000000000000:function:job';
let count = 0;

/** Asks about a rule with these properties; EventBridge may invoke the function for that one rule or for none. */
function check(rule: object, permitted = true): void {
  const data = join(root, `data-${count++}`);
  mkdirSync(data);
  const deployment = readDeployment({
    assembly: writeAssembly(join(root, `assembly-${count}`), {
      Stack: {
        Resources: {
          Job: { Type: 'AWS::Lambda::Function', Properties: { FunctionName: 'job' } },
          Hourly: {
            Type: 'AWS::Events::Rule',
            Properties: {
              Name: 'hourly',
              ScheduleExpression: 'rate(1 hour)',
              Targets: [{ Id: 'Target0', Arn: { 'Fn::GetAtt': ['Job', 'Arn'] } }],
              ...rule,
            },
          },
        },
      },
    }),
    region: 'us-east-1',
    account: '000000000000',
    identifiers: openIdentifiers(data),
  });
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
    /^Error: Hourly: EventBridge may not invoke arn:aws:lambda:.*:job for it\.$/,
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
    assert.throws(() => check({ ScheduleExpression }), /Hourly: the schedule .* is not known here/);
  }
  assert.throws(() => check({ RoleArn: 'arn' }), /property RoleArn is not known here/);
  assert.throws(
    () => check({ Targets: [{ Id: 'x', Arn: 'arn:aws:sqs:us-east-1:000000000000:q' }] }),
    /Hourly: its target .* is no function/,
  );
});
