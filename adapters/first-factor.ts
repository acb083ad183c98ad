import {
  AdminInitiateAuthCommand,
  type ContextDataType,
  RevokeTokenCommand,
  UserLambdaValidationException,
} from '@aws-sdk/client-cognito-identity-provider';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { decodeJwt } from 'jose';
import { CountersignError, unavailable } from '../core/error.ts';
import type { FirstFactor, SignInSource } from '../core/ports.ts';
import { cognito as createClient, timeoutsOf } from './aws.ts';
import { header } from './body.ts';

/**
 * Maps the errors of AdminInitiateAuth. Those Cognito may give without the right password are one refusal, or they would tell
 * who exists (amplify-js#1464). `logged` ones name their cause in the log, since the pool's set-up may be wrong.
 *
 * Every other error is a fault: a trigger that gives no answer or a malformed one is broken, and a wrong set-up of the pool,
 * its client or its plan is the same for everybody with the right password.
 */
const REFUSALS: Record<string, { logged: boolean }> = {
  // An unknown user, a wrong password, a disabled user, Cognito's own lockout, a sign-in that threat protection blocks.
  NotAuthorizedException: { logged: false },
  UserNotFoundException: { logged: false },
  UserNotConfirmedException: { logged: false },
  PasswordResetRequiredException: { logged: false },
  // A user name that Cognito does not take, or an app client that is not set up for this.
  InvalidParameterException: { logged: true },
  // A trigger refuses, as PreAuthentication does before the password is looked at. See `refuse` for PreTokenGeneration.
  UserLambdaValidationException: { logged: true },
  // This user has no such method as the pool asks for.
  MFAMethodNotFoundException: { logged: true },
};

/** Returns the origin of a request. Behind your own proxy the address is the proxy's: headers are not trusted. */
export function sourceOf(event: APIGatewayProxyEvent): SignInSource {
  const { identity, domainName = '', path } = event.requestContext;
  return { address: identity.sourceIp, host: domainName, path, userAgent: header(event, 'user-agent') };
}

/** As the pool's threat protection takes it; a pool without that leaves it unread. All four members are required. */
function contextOf({ address, host, path, userAgent }: SignInSource): ContextDataType {
  const headers = userAgent === undefined ? [] : [{ headerName: 'User-Agent', headerValue: userAgent }];
  return { IpAddress: address, ServerName: host, ServerPath: path, HttpHeaders: headers };
}

/** Passwords are Cognito's to know and to guard: AdminInitiateAuth with an app client that does nothing else. */
export function createCognitoFirstFactor({
  USER_POOL_ID,
  LOGIN_CLIENT_ID,
}: {
  USER_POOL_ID: string;
  LOGIN_CLIENT_ID: string;
}): FirstFactor {
  // Cognito hashes passwords on purpose slowly.
  const cognito = createClient(timeoutsOf(3000));

  return {
    async check(username, password, source) {
      const answer = await cognito
        .send(
          new AdminInitiateAuthCommand({
            UserPoolId: USER_POOL_ID,
            ClientId: LOGIN_CLIENT_ID,
            AuthFlow: 'ADMIN_USER_PASSWORD_AUTH',
            AuthParameters: { USERNAME: username, PASSWORD: password },
            ...(source && { ContextData: contextOf(source) }),
          }),
        )
        .catch(refuse);
      // Only the right password leads to a further step.
      if (answer.ChallengeName === 'NEW_PASSWORD_REQUIRED')
        throw new CountersignError('new_password_required');
      if (answer.ChallengeName) throw new CountersignError('sign_in_step_unsupported');
      const { AccessToken, RefreshToken } = answer.AuthenticationResult ?? {};
      if (!AccessToken || !RefreshToken) throw unavailable();
      // Cognito's tokens are not handed out: they would be a session past the second factor.
      await cognito
        .send(new RevokeTokenCommand({ ClientId: LOGIN_CLIENT_ID, Token: RefreshToken }))
        .catch((error: unknown) => {
          throw unavailable(error);
        });
      const claims = decodeJwt(AccessToken);
      if (!claims.sub) throw unavailable();
      return { sub: claims.sub, username };
    },
  };
}

function refuse(error: unknown): never {
  const refusal = error instanceof Error ? REFUSALS[error.name] : undefined;
  if (!refusal || failedAfterPassword(error)) throw unavailable(error);
  const cause = refusal.logged ? error : undefined;
  throw new CountersignError('invalid_credentials', '', { cause });
}

/**
 * PostAuthentication and PreTokenGeneration run after the right password only, and Countersign's fails if DynamoDB does: no
 * refusal. Cognito names the trigger in the text: `PreTokenGeneration failed with error …`.
 */
function failedAfterPassword(error: unknown): boolean {
  if (!(error instanceof UserLambdaValidationException)) return false;
  return /^(?:PreTokenGeneration|PostAuthentication) failed/.test(error.message);
}
