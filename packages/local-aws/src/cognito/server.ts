import type { Context } from '../context.ts';
import { startAwsServer } from '../http/json-protocol.ts';
import type { RunningServer } from '../http/listen.ts';
import type { ApiCall } from './cloud-trail.ts';
import type { Cognito } from './operations/access.ts';
import { adminUserOperations } from './operations/admin-users.ts';
import { authenticationOperations } from './operations/authentication.ts';
import { describeOperations } from './operations/describe.ts';
import { forgotPasswordOperations } from './operations/forgot-password.ts';
import { selfServiceOperations } from './operations/self-service.ts';
import { signUpOperations } from './operations/sign-up.ts';
import { updateOperations } from './operations/update-user-pool.ts';
import { listPools, openPool, type PoolDefinition } from './pool.ts';
import type { InvokeTrigger } from './triggers.ts';

export type { PoolDefinition } from './pool.ts';

export interface CognitoOptions {
  context: Context;
  /** Keeps the pools' users and keys; exists. */
  folder: string;
  pools: PoolDefinition[];
  /** Runs a trigger by its ARN; rejects on a function error, and with an `AwsError` if it cannot be invoked. */
  invokeTrigger: InvokeTrigger;
  /** Called with every administrator's call that CloudTrail would record. @default not called */
  onApiCall?(call: ApiCall): void;
  /** @default any free one */
  port?: number;
}

/** Operations without IAM credentials (Amazon Cognito API reference: unauthenticated and token-authorized operations). */
const unsigned = new Set([
  'ConfirmForgotPassword',
  'ForgotPassword',
  'GetUser',
  'GlobalSignOut',
  'InitiateAuth',
  'RespondToAuthChallenge',
  'RevokeToken',
  'SignUp',
  'UpdateUserAttributes',
]);

const jwksPath = /^\/([\w-]+_[0-9A-Za-z]+)\/\.well-known\/jwks\.json$/;

/**
 * Serves user pools by the protocol of `AWSCognitoIdentityProviderService`, with each pool's JWKS at
 * `/<pool id>/.well-known/jwks.json`. Users, keys and revocations are kept in `folder`; sign-ins in progress are not.
 *
 * @throws Error for a pool with a trigger that is not emulated
 */
export async function startCognito(options: CognitoOptions): Promise<RunningServer> {
  const running = options.pools.map((definition) => openPool(definition, options));
  const { context, onApiCall } = options;
  const cognito: Cognito = { pools: listPools(running), context, ...(onApiCall && { onApiCall }) };
  return startAwsServer({
    service: 'cognito-idp',
    targetPrefix: 'AWSCognitoIdentityProviderService',
    contentType: 'application/x-amz-json-1.1',
    context,
    operations: {
      ...authenticationOperations(cognito),
      ...adminUserOperations(cognito),
      ...signUpOperations(cognito),
      ...forgotPasswordOperations(cognito),
      ...selfServiceOperations(cognito),
      ...describeOperations(cognito),
      ...updateOperations(cognito),
    },
    unsigned,
    ...(options.port === undefined ? {} : { port: options.port }),
    get(path) {
      const pool = running.find((candidate) => candidate.id === jwksPath.exec(path)?.[1]);
      if (!pool) return undefined;
      return { contentType: 'application/json', body: JSON.stringify({ keys: [pool.keys.published] }) };
    },
  });
}
