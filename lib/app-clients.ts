import { Duration } from 'aws-cdk-lib';
import { type CfnUserPoolClient, type IUserPool, UserPoolClient } from 'aws-cdk-lib/aws-cognito';
import type { Construct } from 'constructs';

/**
 * Attributes that a token of these clients may change: none that recovery or sign-in uses. Otherwise a thief
 * with a token could have the next code sent to themselves.
 */
const WRITABLE = [
  'address',
  'birthdate',
  'family_name',
  'gender',
  'given_name',
  'locale',
  'middle_name',
  'name',
  'nickname',
  'picture',
  'profile',
  'updated_at',
  'website',
  'zoneinfo',
];

/**
 * Creates the client that checks passwords for POST /v1/auth/login, and does nothing else. Its tokens are
 * dropped and nobody accepts them.
 *
 * @param writable more attributes that its tokens may change; all that the pool requires must be among them
 */
export function createLoginClient(
  scope: Construct,
  id: string,
  userPool: IUserPool,
  writable?: readonly string[],
): UserPoolClient {
  return createClient(scope, id, userPool, {
    writable,
    name: 'countersign-login',
    flows: ['ALLOW_ADMIN_USER_PASSWORD_AUTH'],
    // The shortest that Cognito allows.
    tokens: Duration.minutes(5),
    refreshToken: Duration.hours(1),
  });
}

/**
 * Creates the client for apps that sign in with Cognito itself, through the custom flow with the second
 * factor.
 *
 * @param writable more attributes that its tokens may change; all that the pool requires must be among them
 */
export function createAppsClient(
  scope: Construct,
  id: string,
  userPool: IUserPool,
  writable?: readonly string[],
): UserPoolClient {
  return createClient(scope, id, userPool, {
    writable,
    name: 'countersign-apps',
    flows: ['ALLOW_CUSTOM_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
    tokens: Duration.minutes(15),
    refreshToken: Duration.days(1),
  });
}

function createClient(
  scope: Construct,
  id: string,
  userPool: IUserPool,
  {
    name,
    flows,
    tokens,
    refreshToken,
    writable = [],
  }: {
    name: string;
    flows: string[];
    tokens: Duration;
    refreshToken: Duration;
    writable: readonly string[] | undefined;
  },
): UserPoolClient {
  const client = new UserPoolClient(scope, id, {
    userPool,
    userPoolClientName: name,
    generateSecret: false,
    disableOAuth: true,
    preventUserExistenceErrors: true,
    enableTokenRevocation: true,
    accessTokenValidity: tokens,
    idTokenValidity: tokens,
    refreshTokenValidity: refreshToken,
  });
  // Set directly: `authFlows` always adds ALLOW_REFRESH_TOKEN_AUTH, and a client without flows allows SRP.
  const cfnClient = client.node.defaultChild as CfnUserPoolClient;
  cfnClient.explicitAuthFlows = flows;
  // Without a list, a client may write every standard attribute.
  cfnClient.writeAttributes = [...new Set([...WRITABLE, ...writable])];
  return client;
}
