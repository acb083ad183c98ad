import { GetUserCommand } from '@aws-sdk/client-cognito-identity-provider';
import { CountersignError, unavailable } from '../core/error.ts';
import { cognito as createClient, requestTimeouts } from './aws.ts';

/**
 * Asks Cognito whether it still accepts an access token of the pool.
 *
 * @param accessToken a token whose signature and claims have been verified
 * @param scope its `scope` claim
 * @throws CountersignError `insufficient_scope` if the token cannot be used to ask Cognito;
 * `temporarily_unavailable`
 */
export type AskPool = (accessToken: string, scope: unknown) => Promise<boolean>;

/** Cognito's own operations accept only tokens with this scope. Tokens of API sign-ins have it. */
const SCOPE = 'aws.cognito.signin.user.admin';

/** Errors of GetUser if the token was revoked or signed out, or its user was disabled, reset or deleted. */
const REFUSALS = new Set([
  'NotAuthorizedException',
  'UserNotFoundException',
  'UserNotConfirmedException',
  'PasswordResetRequiredException',
]);

/** Returns a function that calls GetUser, which takes the token itself and no IAM credentials. */
export function createAskPool(): AskPool {
  const cognito = createClient(requestTimeouts);
  return async (AccessToken, scope) => {
    if (!String(scope).split(' ').includes(SCOPE)) {
      throw new CountersignError('insufficient_scope', `The access token needs the scope ${SCOPE}.`);
    }
    try {
      await cognito.send(new GetUserCommand({ AccessToken }));
      return true;
    } catch (error) {
      if (error instanceof Error && REFUSALS.has(error.name)) return false;
      throw unavailable(error);
    }
  };
}
