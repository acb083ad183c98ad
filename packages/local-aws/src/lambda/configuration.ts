import type { Resource } from '../cloudformation/deployment.ts';

/** A function as GetFunctionConfiguration shows it; its ARN names it. */
export interface FunctionConfiguration {
  FunctionName: string;
  FunctionArn: string;
  [field: string]: unknown;
}

/** What GetFunctionConfiguration shows of a function of the template. */
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
