import { AdminInitiateAuthCommand, RevokeTokenCommand } from '@aws-sdk/client-cognito-identity-provider';
import { decodeJwt } from 'jose';
import { CountersignError, unavailable } from '../core/error.ts';
import type { FirstFactor } from '../core/ports.ts';
import { cognito as createClient, patienceOf } from './aws.ts';

/**
 * What Cognito refuses with, whatever the password: an unknown user, a wrong password, a disabled user, its own lockout,
 * and also an unconfirmed account and one whose password must be reset, which it names to somebody without the password
 * (amplify-js#1464). One answer for all of them, or it would tell who exists.
 */
const REFUSALS = new Set([
  'NotAuthorizedException',
  'UserNotFoundException',
  'UserNotConfirmedException',
  'PasswordResetRequiredException',
  'InvalidParameterException',
]);

/** Passwords are Cognito's to know and to guard: AdminInitiateAuth with an app client that does nothing else. */
export function createCognitoFirstFactor({
  USER_POOL_ID,
  LOGIN_CLIENT_ID,
}: {
  USER_POOL_ID: string;
  LOGIN_CLIENT_ID: string;
}): FirstFactor {
  // Cognito hashes passwords on purpose slowly.
  const cognito = createClient(patienceOf(3000));

  return {
    async check(username, password) {
      const answer = await cognito
        .send(
          new AdminInitiateAuthCommand({
            UserPoolId: USER_POOL_ID,
            ClientId: LOGIN_CLIENT_ID,
            AuthFlow: 'ADMIN_USER_PASSWORD_AUTH',
            AuthParameters: { USERNAME: username, PASSWORD: password },
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
  if (!(error instanceof Error) || !REFUSALS.has(error.name)) throw unavailable(error);
  // Of a user name that Cognito does not take, or of an app client that is not set up for this: for the log.
  const cause = error.name === 'InvalidParameterException' ? error : undefined;
  throw new CountersignError('invalid_credentials', '', { cause });
}
