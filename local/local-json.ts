import type { Api } from '@countersign/local-aws/api-gateway/template';
import { planOf } from '@countersign/local-aws/api-gateway/throttle';
import type { Deployment } from '@countersign/local-aws/cloudformation/deployment';
import { type Identifiers, mixedCase } from '@countersign/local-aws/cloudformation/identifiers';
import type { PoolDefinition } from '@countersign/local-aws/cognito/server';
import type { Principal, RunningServer } from '@countersign/local-aws/types';
import type { SeededUser } from './seed.ts';

/** Everything somebody needs to use the service that runs here. */
export interface LocalJson {
  url: string;
  /** Of the most generous usage plan. */
  apiKey: string;
  /** Of the tightest one, to see a 429. */
  limitedApiKey: string;
  users: SeededUser[];
  cognito: { endpoint: string; userPoolId: string; clientId: string };
  dynamodb: { endpoint: string; tableName: string };
  kms: { endpoint: string };
  /** Lambda's API: Invoke, Get- and UpdateFunctionConfiguration, GetPolicy, AddPermission. */
  lambda: { endpoint: string };
  /** Signs calls of the admin endpoints (SigV4, service `execute-api`), and may do nothing else. */
  admin: Credentials;
  /** May do anything: to look into the table and the pool with AWS's own tools. */
  operator: Credentials;
}

interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  region: string;
}

/** API key id → value: the template's own, or one made up once. */
export function apiKeyValues(deployment: Deployment, identifiers: Identifiers): Map<string, string> {
  return new Map(
    deployment.resources('AWS::ApiGateway::ApiKey').map(({ stack, logicalId, ref, properties }) => {
      const given = properties['Value'];
      const value = given ?? identifiers.get(`${stack}/${logicalId}/value`, mixedCase(40));
      return [ref, String(value)];
    }),
  );
}

/** @throws Error if no API key is in a usage plan, or there is no table */
export function describeLocally(parts: {
  url: string;
  api: Api;
  keyValues: ReadonlyMap<string, string>;
  users: SeededUser[];
  pool: PoolDefinition;
  deployment: Deployment;
  admin: Principal;
  operator: Principal;
  cognito: RunningServer;
  dynamodb: RunningServer;
  kms: RunningServer;
  lambda: RunningServer;
}): LocalJson {
  const { api, keyValues, pool, deployment } = parts;
  const byRate = api.keys
    .filter((key) => key.enabled)
    .flatMap((key) => {
      const plan = planOf(api, key);
      const value = keyValues.get(key.id);
      return plan && value ? [{ value, rate: plan.throttle?.rate ?? Number.POSITIVE_INFINITY }] : [];
    })
    .toSorted((a, b) => b.rate - a.rate);
  const [table] = deployment.resources('AWS::DynamoDB::Table');
  const [generous] = byRate;
  const limited = byRate.at(-1);
  if (!generous || !limited) throw new Error('No API key of the template is in a usage plan.');
  if (!table) throw new Error('The template has no table.');

  // Apps sign in with the client of the custom flow; the other one only checks passwords.
  const appsClient = pool.clients.find(({ properties }) =>
    ((properties['ExplicitAuthFlows'] ?? []) as string[]).includes('ALLOW_CUSTOM_AUTH'),
  );
  const credentials = ({ accessKeyId, secretAccessKey }: Principal): Credentials => ({
    accessKeyId,
    secretAccessKey,
    region: deployment.region,
  });
  return {
    url: parts.url,
    apiKey: generous.value,
    limitedApiKey: limited.value,
    users: parts.users,
    cognito: {
      endpoint: parts.cognito.endpoint,
      userPoolId: pool.id,
      clientId: (appsClient ?? pool.clients[0])?.id ?? '',
    },
    dynamodb: { endpoint: parts.dynamodb.endpoint, tableName: table.ref },
    kms: { endpoint: parts.kms.endpoint },
    lambda: { endpoint: parts.lambda.endpoint },
    admin: credentials(parts.admin),
    operator: credentials(parts.operator),
  };
}
