import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { idOf, ofType, one, plain, synthesize } from './synthesize.ts';

const { data } = synthesize();

for (const [name, rate, seconds] of [
  ['RotateKeys', 'rate(1 day)', 120],
  ['Reseal', 'rate(1 hour)', 900],
] as const) {
  const functionId = idOf(data, 'AWS::Lambda::Function', `${name}Function`);
  const ruleId = idOf(data, 'AWS::Events::Rule', `${name}Schedule`);

  describe(name, () => {
    test('it runs on a schedule, with an empty event', () => {
      const { Properties } = one(data, 'AWS::Events::Rule', `${name}Schedule`);
      assert.equal(Properties['ScheduleExpression'], rate);
      assert.equal(Properties['State'], 'ENABLED');
      const [target, ...others] = plain(Properties['Targets']) as { Arn: string; Input: string }[];
      assert.deepEqual(others, []);
      assert.deepEqual([target?.Arn, target?.Input], [`<${functionId}.Arn>`, '{}']);
    });

    test('only EventBridge may invoke it, and only for its one rule', () => {
      const permissions = ofType(data, 'AWS::Lambda::Permission')
        .map(([, { Properties }]) => plain(Properties) as Record<string, unknown>)
        .filter(({ FunctionName }) => String(FunctionName).includes(functionId));
      assert.deepEqual(permissions, [
        {
          Action: 'lambda:InvokeFunction',
          FunctionName: `<${functionId}.Arn>`,
          Principal: 'events.amazonaws.com',
          SourceArn: `<${ruleId}.Arn>`,
        },
      ]);
    });

    test('it gets its table, its key, its deployment and the time it needs', () => {
      const { Properties } = one(data, 'AWS::Lambda::Function', `${name}Function`);
      const { Variables } = plain(Properties['Environment']) as { Variables: Record<string, string> };
      assert.deepEqual(Object.keys(Variables).sort(), [
        'KEYRING_KEY_ARN',
        'KEYRING_STACK',
        'SETTINGS',
        'TABLE_NAME',
      ]);
      assert.equal(Properties['Timeout'], seconds);
    });

    test('it reserves no concurrency, which an account with a limit of ten would refuse', () => {
      const { Properties } = one(data, 'AWS::Lambda::Function', `${name}Function`);
      assert.equal(Properties['ReservedConcurrentExecutions'], undefined);
    });

    test('an output names it', () => {
      assert.equal(plain(data.Outputs[`${name}Function`]?.Value), `<${functionId}>`);
    });
  });
}
