import type { Stack } from 'aws-cdk-lib';
import type { ApiStackProps } from './api-stack.ts';
import { settingsOf } from './settings-of.ts';

/**
 * The environment of every operation of the API. None of it is secret; AWS_REGION comes from Lambda.
 *
 * @param clients API key id → name of its client
 */
export function operationEnvironment(
  stack: Stack,
  { config, table, keyringKey, keyringStack, userPool, loginClient, appsClient }: ApiStackProps,
  issuer: string,
  clients: Record<string, string>,
): Record<string, string> {
  const pool = `https://cognito-idp.${stack.region}.${stack.urlSuffix}/${userPool.userPoolId}`;
  const trustedIssuers = [
    {
      issuer: pool,
      jwksUri: `${pool}/.well-known/jwks.json`,
      realm: config.realm,
      algorithms: ['RS256'],
      // The login client is not among them: its tokens are from before the second factor.
      clientIds: [appsClient.userPoolClientId, ...(config.userPool?.clientIds ?? [])],
      tokenUse: 'access',
      accountClaim: 'username',
    },
    ...config.trustedIssuers,
  ];
  return {
    TABLE_NAME: table.tableRef.tableName,
    KEYRING_KEY_ARN: keyringKey.keyArn,
    KEYRING_STACK: keyringStack,
    SETTINGS: settingsOf(config),
    ISSUER: issuer,
    FORMER_ISSUERS: JSON.stringify(config.formerIssuers),
    AUDIENCE: config.audience ?? issuer,
    CLIENTS: stack.toJsonString(clients),
    CORS_ORIGINS: JSON.stringify(config.cors.origins),
    TRUSTED_ISSUERS: stack.toJsonString(trustedIssuers),
    USER_POOL_ID: userPool.userPoolId,
    LOGIN_CLIENT_ID: loginClient.userPoolClientId,
  };
}
