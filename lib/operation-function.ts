import { Duration, type RemovalPolicy } from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Bundle } from './bundle.ts';

export interface OperationFunctionProps {
  /** The name of the operation, as in functions/. */
  operation: string;
  bundle: Bundle;
  environment: Record<string, string>;
  /** Everything it may do, except for writing its own log. */
  statements: PolicyStatement[];
  /** In MB. */
  memory: number;
  logRetentionDays: RetentionDays;
  /** What happens to its log when the function is deleted. */
  removalPolicy: RemovalPolicy;
  /** @default 10 seconds */
  timeout?: Duration;
}

/** One operation: a function, a role of its own with one inline policy, and a log group. */
export class OperationFunction extends Construct {
  readonly function: LambdaFunction;
  readonly role: Role;

  constructor(scope: Construct, id: string, props: OperationFunctionProps) {
    super(scope, id);
    const logGroup = new LogGroup(this, 'Log', {
      retention: props.logRetentionDays,
      removalPolicy: props.removalPolicy,
    });
    const log = new PolicyStatement({
      sid: 'Log',
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [logGroup.logGroupArn],
    });
    this.role = new Role(this, 'Role', {
      description: `Countersign: ${props.operation}`,
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      inlinePolicies: {
        Operation: new PolicyDocument({ statements: [log, ...props.statements], minimize: false }),
      },
    });
    this.function = new LambdaFunction(this, 'Function', {
      description: `Countersign: ${props.operation}`,
      code: Code.fromAsset(props.bundle.folder),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: props.memory,
      timeout: props.timeout ?? Duration.seconds(10),
      environment: props.environment,
      role: this.role,
      logGroup,
    });
  }
}
