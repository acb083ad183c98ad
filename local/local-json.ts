import type { Aws } from '@countersign/local-aws';
import type { Principal } from '@countersign/local-aws/iam';
import type { SeededUser } from './seed.ts';

/** Everything a client needs to use the service on this machine. */
export interface LocalJson {
  url: string;
  /** A key of the most generous usage plan. */
  apiKey: string;
  /** A key of the tightest plan, to see a 429. */
  limitedApiKey: string;
  users: SeededUser[];
  cognito: { endpoint: string; userPoolId: string; clientId: string };
  dynamodb: { endpoint: string; tableName: string };
  kms: { endpoint: string };
  /** Lambda's API. */
  lambda: { endpoint: string };
  /** Signs calls of the admin endpoints (SigV4, service `execute-api`), and may do nothing else. */
  admin: Credentials;
  /** May do everything: looks into the table and the pool with AWS's own tools. */
  operator: Credentials;
}

interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  region: string;
}

/**
 * Collects what local.json says.
 *
 * @throws Error if no API key is in a usage plan, or the template has no table or no pool
 */
export function describeLocally(
  { url, apiKeys, pools, deployment, endpoints }: Aws,
  people: { users: SeededUser[]; admin: Principal; operator: Principal },
): LocalJson {
  const byRate = apiKeys
    .flatMap(({ enabled, value, rate }) => (enabled && rate !== undefined ? [{ value, rate }] : []))
    .toSorted((a, b) => b.rate - a.rate);
  const [generous] = byRate;
  const limited = byRate.at(-1);
  const [table] = deployment.resources('AWS::DynamoDB::Table');
  const [pool] = pools;
  if (!generous || !limited) throw new Error('No API key of the template is in a usage plan.');
  if (!table) throw new Error('The template has no table.');
  if (!pool) throw new Error('The template has no user pool.');

  // Apps sign in with the client of the custom flow; the other client only checks passwords.
  const appsClient = pool.clients.find(({ properties }) =>
    ((properties['ExplicitAuthFlows'] ?? []) as string[]).includes('ALLOW_CUSTOM_AUTH'),
  );
  const credentials = ({ accessKeyId, secretAccessKey }: Principal): Credentials => ({
    accessKeyId,
    secretAccessKey,
    region: deployment.region,
  });
  return {
    url,
    apiKey: generous.value,
    limitedApiKey: limited.value,
    users: people.users,
    cognito: {
      endpoint: endpoints.cognito,
      userPoolId: pool.id,
      clientId: (appsClient ?? pool.clients[0])?.id ?? '',
    },
    dynamodb: { endpoint: endpoints.dynamodb, tableName: table.ref },
    kms: { endpoint: endpoints.kms },
    lambda: { endpoint: endpoints.lambda },
    admin: credentials(people.admin),
    operator: credentials(people.operator),
  };
}
