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
 * Cognito errors reported as `invalid_credentials`, to hide which users exist (amplify-js#1464).
 * AdminInitiateAuth may return them without the right password. `logged` errors name their cause in the log,
 * since the pool's set-up may be wrong.
 *
 * Every other error is a fault. A trigger is broken if it returns nothing or something malformed. A wrong
 * set-up of the pool, its client or its plan affects every user with the right password.
 */
const REFUSALS: Record<string, { logged: boolean }> = {
  // An unknown user, a wrong password, a disabled user, Cognito's own lockout, a sign-in that threat protection blocks.
  NotAuthorizedException: { logged: false },
  UserNotFoundException: { logged: false },
  UserNotConfirmedException: { logged: false },
  PasswordResetRequiredException: { logged: false },
  // A user name that Cognito does not accept, or an app client that is not set up for this.
  InvalidParameterException: { logged: true },
  // A trigger refuses, as PreAuthentication does before Cognito checks the password. See failedAfterPassword
  // for others.
  UserLambdaValidationException: { logged: true },
  // The user has no MFA method that the pool asks for.
  MFAMethodNotFoundException: { logged: true },
};

/** Returns the origin of a request. Behind your own proxy the address is the proxy's: headers are not trusted. */
export function sourceOf(event: APIGatewayProxyEvent): SignInSource {
  const { identity, domainName = '', path } = event.requestContext;
  return { address: identity.sourceIp, host: domainName, path, userAgent: header(event, 'user-agent') };
}

/**
 * Formats the origin for the pool's threat protection; other pools ignore it. All four members are required.
 */
function contextOf({ address, host, path, userAgent }: SignInSource): ContextDataType {
  const headers = userAgent === undefined ? [] : [{ headerName: 'User-Agent', headerValue: userAgent }];
  return { IpAddress: address, ServerName: host, ServerPath: path, HttpHeaders: headers };
}

/**
 * Creates the password check: AdminInitiateAuth with an app client that does nothing else. Cognito stores the
 * passwords and limits guesses.
 *
 * @returns `check`, which throws CountersignError `invalid_credentials`, `new_password_required`,
 * `sign_in_step_unsupported` or `temporarily_unavailable`
 */
export function createCognitoFirstFactor({
  USER_POOL_ID,
  LOGIN_CLIENT_ID,
}: {
  USER_POOL_ID: string;
  LOGIN_CLIENT_ID: string;
}): FirstFactor {
  // Cognito hashes passwords slowly, on purpose.
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
      // Nobody gets Cognito's tokens: they would be a session without the second factor.
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
 * Checks whether PostAuthentication or PreTokenGeneration failed. Both run only after the right password, and
 * Countersign's fails if DynamoDB does, so this is no refusal. Cognito names the trigger in the text:
 * `PreTokenGeneration failed with error …`.
 */
function failedAfterPassword(error: unknown): boolean {
  if (!(error instanceof UserLambdaValidationException)) return false;
  return /^(?:PreTokenGeneration|PostAuthentication) failed/.test(error.message);
}
