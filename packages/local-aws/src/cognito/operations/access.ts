import { AwsError } from '../../aws-error.ts';
import type { Context } from '../../context.ts';
import type { Operation } from '../../http/json-protocol.ts';
import { decide, principalContext } from '../../iam/policy.ts';
import type { ApiCall } from '../cloud-trail.ts';
import { notAuthorized, userNotFound } from '../errors.ts';
import { type Input, required } from '../input.ts';
import type { Pool, Pools } from '../pool.ts';
import type { AccessClaims } from '../tokens.ts';
import type { User } from '../users.ts';

/** The pools of this machine, and what their operations share with the other services. */
export interface Cognito {
  pools: Pools;
  context: Context;
  /** Called after each call of an administrator about one user, refused ones included. */
  onApiCall?(call: ApiCall): void;
}

type Request = Parameters<Operation>[0];

/**
 * Makes an operation that needs `cognito-idp:<name>` on the pool's ARN. It throws `AccessDeniedException` before it
 * tells whether the pool exists.
 */
export function guarded(
  { pools, context }: Cognito,
  name: string,
  run: (pool: Pool, input: Input, request: Request) => unknown,
): Operation {
  return async (request) => {
    const { input, principal } = request;
    const poolId = required(input, 'UserPoolId');
    const resource = `arn:aws:cognito-idp:${context.region}:${context.account}:userpool/${poolId}`;
    const action = `cognito-idp:${name}`;
    const decision =
      principal &&
      decide(principal.policies, {
        action,
        resource,
        context: principalContext(principal, context.region),
      });
    if (decision !== 'Allow') {
      const reason =
        decision === 'Deny'
          ? 'with an explicit deny in an identity-based policy'
          : `because no identity-based policy allows the ${action} action`;
      throw new AwsError(
        'AccessDeniedException',
        `User: ${principal?.arn ?? 'anonymous'} is not authorized to perform: ${action} on resource: ${resource} ${reason}`,
      );
    }
    return (await run(pools.byId(poolId), input, request)) ?? {};
  };
}

/** EventBridge receives no events of these: the rules here are for management events that write. */
const READ_ONLY = /^Admin(Get|List)/;

/** Makes a guarded operation about one user. It throws `UserNotFoundException`, whatever a client hides. */
export function guardedUser(
  cognito: Cognito,
  name: string,
  run: (pool: Pool, user: User, input: Input) => unknown,
): Operation {
  return guarded(cognito, name, async (pool, input, { principal, headers }) => {
    const user = pool.users.find(required(input, 'Username'));
    const sub = user?.sub;
    const called = (errorCode?: string) => {
      if (!principal || READ_ONLY.test(name)) return;
      cognito.onApiCall?.({ operation: name, poolId: pool.id, sub, principal, headers, errorCode });
    };
    try {
      if (!user) throw userNotFound();
      const answer = await run(pool, user, input);
      called();
      return answer;
    } catch (error) {
      called(error instanceof AwsError ? error.code : 'InternalErrorException');
      throw error;
    }
  });
}

/**
 * Finds the holder of an access token, for the operations of a signed-in user. Throws `NotAuthorizedException` for a
 * token that is forged, expired or revoked, or older than a sign-out everywhere.
 */
export async function holder(
  pools: Pools,
  input: Input,
): Promise<{ pool: Pool; user: User; claims: AccessClaims }> {
  const accessToken = required(input, 'AccessToken');
  const pool = poolOf(pools, accessToken);
  const claims = await pool.tokens.readAccess(accessToken);
  const user = pool.users.bySub(claims.sub);
  if (!user) throw userNotFound();
  // The token says seconds only, so one from the second of the sign-out is refused as well.
  if (claims.iat <= user.signedOutAt || (claims.origin_jti && pool.revocations.has(claims.origin_jti))) {
    throw notAuthorized('Access Token has been revoked');
  }
  if (!user.enabled) throw notAuthorized('User is disabled.');
  const scopes = String(claims['scope'] ?? '').split(' ');
  if (!scopes.includes('aws.cognito.signin.user.admin')) {
    throw notAuthorized('Access Token does not have required scopes');
  }
  return { pool, user, claims };
}

/** Finds the pool by the token's client. The token is unverified: that pool's key checks it afterwards. */
function poolOf(pools: Pools, accessToken: string): Pool {
  try {
    const payload = JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return pools.byClient(String(payload.client_id)).pool;
  } catch {
    throw notAuthorized('Invalid Access Token');
  }
}
