import { CfnOutput, Duration, type RemovalPolicy, type Stack } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { Bundle } from './bundle.ts';
import type { Config } from './config.ts';
import { type KeyringTargets, keyMakerStatements, resealStatements } from './grants.ts';
import { OperationFunction } from './operation-function.ts';
import { pascalCase } from './pascal-case.ts';

export interface KeyRotationProps {
  config: Config;
  /** From bundleFunctions. */
  bundles: Record<string, Bundle>;
  /** TABLE_NAME, KEYRING_KEY_ARN, KEYRING_STACK, SETTINGS. */
  environment: Record<string, string>;
  removalPolicy: RemovalPolicy;
  targets: KeyringTargets;
}

interface Job {
  every: Duration;
  timeout: Duration;
  statements: PolicyStatement[];
  description: string;
}

/**
 * What keeps the keyring: rotate-keys, once a day, and reseal, once an hour. A run that fails is in the function's log and
 * in Lambda's metric Errors, and Lambda tries it twice more; both may run at any time and any number of times, so that the
 * next run makes up for one that was lost, and no queue is needed to keep it.
 *
 * No concurrency is reserved for reseal, though it runs one at a time: an account of ten concurrent executions, as new ones
 * have, can reserve none, and the deployment would fail. A lease in the job's item does it, against double delivery too.
 */
export function addKeyRotation(stack: Stack, props: KeyRotationProps): void {
  const jobs: Record<string, Job> = {
    'rotate-keys': {
      every: Duration.days(1),
      timeout: Duration.minutes(2),
      statements: keyMakerStatements(props.targets),
      description: 'The function that rotates and withdraws keys',
    },
    reseal: {
      every: Duration.hours(1),
      timeout: Duration.minutes(15),
      statements: resealStatements(props.targets),
      description: 'The function that seals secrets under the newest key and retires old ones',
    },
  };
  for (const [operation, job] of Object.entries(jobs)) addJob(stack, operation, job, props);
}

function addJob(
  scope: Construct,
  operation: string,
  { every, timeout, statements, description }: Job,
  { config, bundles, environment, removalPolicy }: KeyRotationProps,
): void {
  const bundle = bundles[operation];
  if (!bundle) throw new Error(`There is no bundle of functions/${operation}.ts.`);
  const name = pascalCase(operation);
  const { function: handler } = new OperationFunction(scope, name, {
    operation,
    bundle,
    environment,
    statements,
    memory: config.memory,
    logRetentionDays: config.logRetentionDays,
    removalPolicy,
    timeout,
  });
  new Rule(scope, `${name}Schedule`, {
    description: `Countersign: ${operation}`,
    schedule: Schedule.rate(every),
    targets: [new LambdaFunction(handler, { event: RuleTargetInput.fromObject({}) })],
  });
  new CfnOutput(scope, `${name}Function`, { value: handler.functionName, description });
}
