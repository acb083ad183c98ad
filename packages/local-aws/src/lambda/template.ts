import type { Deployment, Resource } from '../cloudformation/deployment.ts';
import { known } from '../cloudformation/known.ts';
import type { Principal } from '../iam/policy.ts';
import type { FunctionDefinition } from './runtime.ts';

/** Lambda's quota on all of a function's variables together. */
const MOST_VARIABLES_BYTES = 4096;

/** Reads a function of the template. @throws Error if it has something that is not emulated */
export function functionDefinition(
  deployment: Deployment,
  lambdaFunction: Resource,
  principal: Principal & { sessionToken: string },
): FunctionDefinition {
  const { properties } = lambdaFunction;
  known(lambdaFunction, properties, [
    'Architectures',
    'Code',
    'Description',
    'Environment',
    'FunctionName',
    'Handler',
    'LoggingConfig',
    'MemorySize',
    'Role',
    'Runtime',
    'Tags',
    'Timeout',
  ]);
  if (properties['Runtime'] !== 'nodejs24.x') {
    throw new Error(`${lambdaFunction.logicalId}: runtime ${properties['Runtime']} is not known here.`);
  }
  const environment = properties['Environment'] as { Variables?: Record<string, string> } | undefined;
  const bytes = Object.entries(environment?.Variables ?? {}).reduce(
    (sum, [name, value]) => sum + name.length + Buffer.byteLength(value),
    0,
  );
  if (bytes > MOST_VARIABLES_BYTES) {
    throw new Error(
      `${lambdaFunction.logicalId}: its environment variables are ${bytes} bytes; Lambda takes ${MOST_VARIABLES_BYTES}.`,
    );
  }
  const logging = properties['LoggingConfig'] as { LogGroup?: string } | undefined;
  return {
    name: lambdaFunction.ref,
    arn: lambdaFunction.attribute('Arn'),
    folder: deployment.codeOf(lambdaFunction),
    handler: String(properties['Handler']),
    timeoutSeconds: Number(properties['Timeout'] ?? 3),
    memoryMb: Number(properties['MemorySize'] ?? 128),
    variables: environment?.Variables ?? {},
    credentials: principal,
    logGroup: logging?.LogGroup ?? `/aws/lambda/${lambdaFunction.ref}`,
  };
}

/** A function as GetFunctionConfiguration shows it; its ARN names it. */
export interface FunctionConfiguration {
  FunctionName: string;
  FunctionArn: string;
  [field: string]: unknown;
}

/** A function of the template as GetFunctionConfiguration shows it. */
export function configurationOf(lambdaFunction: Resource): FunctionConfiguration {
  const { properties } = lambdaFunction;
  const shown = ['Description', 'Handler', 'Role', 'Runtime', 'Timeout', 'MemorySize', 'Environment'];
  return {
    FunctionName: lambdaFunction.ref,
    FunctionArn: lambdaFunction.attribute('Arn'),
    ...Object.fromEntries(
      shown.filter((name) => properties[name] !== undefined).map((name) => [name, properties[name]]),
    ),
    Version: '$LATEST',
    State: 'Active',
  };
}
