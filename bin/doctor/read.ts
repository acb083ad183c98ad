import {
  DescribeUserPoolClientCommand,
  DescribeUserPoolCommand,
  GetUserPoolMfaConfigCommand,
  type LambdaConfigType,
  paginateListIdentityProviders,
  paginateListUserPoolClients,
  type UserPoolClientType,
  type UserPoolType,
} from '@aws-sdk/client-cognito-identity-provider';
import {
  GetFunctionConfigurationCommand,
  GetPolicyCommand,
  type LambdaClient,
  ResourceNotFoundException,
} from '@aws-sdk/client-lambda';
import { triggers } from '../../functions/routes.ts';
import type { Connection } from './connection.ts';
import type { PolicyStatement } from './invoke-policy.ts';

export type TriggerName = (typeof triggers)[keyof typeof triggers]['lambdaConfig'];

/** The triggers that Countersign needs in a pool: name in LambdaConfig → operation, as in functions/. */
export const needed = new Map<TriggerName, string>(
  Object.entries(triggers).map(([operation, { lambdaConfig }]) => [lambdaConfig, operation]),
);

/** What the findings need to know about a function. A field is undefined if the function does not set it. */
export interface FunctionFacts {
  description: string | undefined;
  /** The table it keeps its records in. */
  tableName: string | undefined;
  /** Empty if it has no policy. */
  policy: PolicyStatement[];
}

/** All that the findings are made from. Contains no secret. */
export interface PoolFacts {
  id: string;
  region: string;
  pool: UserPoolType;
  /** ON, OFF or OPTIONAL. */
  mfa: string;
  clients: Omit<UserPoolClientType, 'ClientSecret'>[];
  /** Federated providers: name → type. */
  providers: Map<string, string>;
  /** The functions of the needed triggers, by ARN. Undefined if the function does not exist. */
  functions: Map<string, FunctionFacts | undefined>;
}

/**
 * Reads a pool, its clients and the functions of its triggers.
 *
 * @throws Error of the SDK: no access, no such pool, no response
 */
export async function readPool({ region, cognito, lambda }: Connection, id: string): Promise<PoolFacts> {
  const { UserPool: pool } = await cognito.send(new DescribeUserPoolCommand({ UserPoolId: id }));
  if (!pool) throw new Error(`Cognito describes no pool ${id}.`);
  const { MfaConfiguration } = await cognito.send(new GetUserPoolMfaConfigCommand({ UserPoolId: id }));

  const clients: PoolFacts['clients'] = [];
  for await (const page of paginateListUserPoolClients(
    { client: cognito, pageSize: 60 },
    { UserPoolId: id },
  )) {
    for (const { ClientId } of page.UserPoolClients ?? []) {
      const command = new DescribeUserPoolClientCommand({ UserPoolId: id, ClientId });
      const { ClientSecret: _, ...client } = (await cognito.send(command)).UserPoolClient ?? {};
      clients.push(client);
    }
  }
  const providers = new Map<string, string>();
  const listing = paginateListIdentityProviders({ client: cognito, pageSize: 60 }, { UserPoolId: id });
  for await (const page of listing) {
    for (const { ProviderName, ProviderType } of page.Providers ?? []) {
      if (ProviderName) providers.set(ProviderName, ProviderType ?? 'unknown');
    }
  }
  const functions: PoolFacts['functions'] = new Map();
  for (const name of needed.keys()) {
    const arn = triggerArn(pool.LambdaConfig, name);
    if (arn && !functions.has(arn)) functions.set(arn, await readFunction(lambda, arn));
  }
  return { id, region, pool, mfa: MfaConfiguration ?? 'OFF', clients, providers, functions };
}

/** Returns the ARN of the function that a pool calls for a trigger; undefined if there is none. */
export function triggerArn(config: LambdaConfigType | undefined, name: TriggerName): string | undefined {
  if (name !== 'PreTokenGenerationConfig') return config?.[name];
  return config?.PreTokenGenerationConfig?.LambdaArn ?? config?.PreTokenGeneration;
}

/**
 * Reads a function's configuration and resource policy. Returns undefined if the function does not exist.
 *
 * @throws Error of the SDK
 */
export async function readFunction(lambda: LambdaClient, arn: string): Promise<FunctionFacts | undefined> {
  const named = { FunctionName: arn };
  const configuration = await orAbsent(lambda.send(new GetFunctionConfigurationCommand(named)));
  if (!configuration) return undefined;
  // Lambda also answers "not found" if a function has no policy.
  const answer = await orAbsent(lambda.send(new GetPolicyCommand(named)));
  const policy = JSON.parse(answer?.Policy ?? '{}') as { Statement?: PolicyStatement | PolicyStatement[] };
  return {
    description: configuration.Description,
    tableName: configuration.Environment?.Variables?.['TABLE_NAME'],
    policy: policy.Statement === undefined ? [] : [policy.Statement].flat(),
  };
}

async function orAbsent<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}
