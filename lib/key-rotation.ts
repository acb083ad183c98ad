import { CfnOutput, Duration, type RemovalPolicy, type Stack } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { type Job, jobs } from '../functions/routes.ts';
import type { Bundle } from './bundle.ts';
import type { Config } from './config.ts';
import { jobStatements, type KeyringTargets } from './grants.ts';
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

/**
 * Adds a function for each job of functions/routes.ts, and a schedule if it has one. A run that fails is in the function's log
 * and in Lambda's metric Errors, and Lambda retries it twice. Every job may run at any time and any number of times, so the
 * next run makes up for a lost one, and no queue has to keep it.
 *
 * No concurrency is reserved for reseal, though it runs one at a time: an account of ten concurrent executions, as new ones
 * have, can reserve none, and the deployment would fail. A lease in the job's item does it, against double delivery too.
 *
 * @returns the jobs that each deployment is to invoke, and how many seconds they may take
 */
export function addKeyRotation(
  stack: Stack,
  props: KeyRotationProps,
): { operation: OperationFunction; timeout: number }[] {
  return Object.entries<Job>(jobs).flatMap(([name, job]) => {
    const operation = addJob(stack, name, job, props);
    if (job.runs === 'deployment') return [{ operation, timeout: job.timeout }];
    new Rule(stack, `${pascalCase(name)}Schedule`, {
      description: `Countersign: ${name}`,
      schedule: Schedule.rate(Duration.hours(job.runs.everyHours)),
      targets: [new LambdaFunction(operation.function, { event: RuleTargetInput.fromObject({}) })],
    });
    return [];
  });
}

function addJob(
  stack: Stack,
  name: string,
  job: Job,
  { config, bundles, environment, removalPolicy, targets }: KeyRotationProps,
): OperationFunction {
  const bundle = bundles[name];
  if (!bundle) throw new Error(`There is no bundle of functions/${name}.ts.`);
  const operation = new OperationFunction(stack, pascalCase(name), {
    operation: name,
    bundle,
    environment,
    statements: jobStatements(name, job, targets),
    memory: config.memory,
    logRetentionDays: config.logRetentionDays,
    removalPolicy,
    timeout: Duration.seconds(job.timeout),
  });
  if (job.summary !== undefined) {
    new CfnOutput(stack, `${pascalCase(name)}Function`, {
      value: operation.function.functionName,
      description: job.summary,
    });
  }
  return operation;
}
