import type { Stack } from 'aws-cdk-lib';
import type { IUserPool, IUserPoolClient } from 'aws-cdk-lib/aws-cognito';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { aws_dynamodb } from 'aws-cdk-lib/interfaces';
import type { Config } from './config.ts';
import { settingsOf } from './settings-of.ts';

/** Returns the environment of the API's operations, which names the rest of the deployment. */
export interface OperationContext {
  config: Config;
  table: aws_dynamodb.ITableRef;
  /** Wraps the keys of the keyring. */
  keyringKey: IKey;
  /** Names this deployment in the keyring's encryption context. */
  keyringStack: string;
  userPool: IUserPool;
  loginClient: IUserPoolClient;
  appsClient: IUserPoolClient;
}

/**
 * The environment of every operation of the API. None of it is secret; AWS_REGION comes from Lambda.
 *
 * @param clients API key id → name of its client
 */
export function operationEnvironment(
  stack: Stack,
  { config, table, keyringKey, keyringStack, userPool, loginClient, appsClient }: OperationContext,
  issuer: string,
  clients: Record<string, string>,
): Record<string, string> {
  // As IssuerConfiguration of the pool says, ORIGINAL or UPDATED: it may be changed, and of an existing pool it is not known.
  const issuersOfPool = ['cognito-idp', 'issuer-cognito-idp'].map(
    (host) => `https://${host}.${stack.region}.${stack.urlSuffix}/${userPool.userPoolId}`,
  );
  const trustedIssuers = [
    ...issuersOfPool.map((pool) => ({
      issuer: pool,
      jwksUri: `${pool}/.well-known/jwks.json`,
      realm: config.realm,
      algorithms: ['RS256'],
      // The login client is not among them: its tokens are from before the second factor.
      clientIds: [appsClient.userPoolClientId, ...(config.userPool?.clientIds ?? [])],
      tokenUse: 'access',
      pool: true,
      accountClaim: 'username',
    })),
    ...config.trustedIssuers,
  ];
  const environment = {
    TABLE_NAME: table.tableRef.tableName,
    KEYRING_KEY_ARN: keyringKey.keyArn,
    KEYRING_STACK: keyringStack,
    SETTINGS: settingsOf(config),
    ISSUER: issuer,
    FORMER_ISSUERS: JSON.stringify(config.formerIssuers),
    ...(config.audience !== undefined && { AUDIENCE: config.audience }),
    CLIENTS: stack.toJsonString(clients),
    CORS_ORIGINS: JSON.stringify(config.cors.origins),
    TRUSTED_ISSUERS: stack.toJsonString(trustedIssuers),
    USER_POOL_ID: userPool.userPoolId,
    LOGIN_CLIENT_ID: loginClient.userPoolClientId,
  };
  refuseTooLarge(stack, environment);
  return environment;
}

/** "Environment variables: 4 KB, for all of a function's together, in aggregate" (Lambda quotas). */
const MOST_BYTES = 4096;

/** The rough length of a value that only CloudFormation knows, such as an ARN or an id. */
const BYTES_OF_A_REFERENCE = 60;

/** @throws Error that says what to shorten: CloudFormation would find out in the middle of a deployment */
function refuseTooLarge(stack: Stack, environment: Record<string, string>): void {
  const sizes = Object.entries(environment).map(([name, value]) => ({
    name,
    bytes: name.length + bytesOf(stack.resolve(value)),
  }));
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total <= MOST_BYTES) return;
  const largest = sizes.toSorted((one, other) => other.bytes - one.bytes).slice(0, 3);
  throw new Error(
    `The functions' environment would be about ${total} bytes, and Lambda allows ${MOST_BYTES}. The most is taken by ${largest.map(({ name, bytes }) => `${name} (${bytes})`).join(', ')}: fewer or shorter clients and keys (CLIENTS), userPool.clientIds, trustedIssuers, formerIssuers or cors.origins.`,
  );
}

function bytesOf(resolved: unknown): number {
  if (typeof resolved === 'string') return Buffer.byteLength(resolved);
  const join = (resolved as { 'Fn::Join'?: [string, unknown[]] })['Fn::Join'];
  return join ? join[1].reduce((sum: number, part) => sum + bytesOf(part), 0) : BYTES_OF_A_REFERENCE;
}
