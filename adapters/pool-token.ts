import { GetUserCommand } from '@aws-sdk/client-cognito-identity-provider';
import { CountersignError, unavailable } from '../core/error.ts';
import { cognito as createClient, requestTimeouts } from './aws.ts';

/**
 * Whether Cognito still takes this access token of the pool, which has been verified and has this `scope`.
 *
 * @throws CountersignError `insufficient_scope` where Cognito cannot be asked with it; `temporarily_unavailable`
 */
export type AskPool = (accessToken: string, scope: unknown) => Promise<boolean>;

/** Without it Cognito takes a token for none of its own operations; tokens of API sign-ins have it. */
const SCOPE = 'aws.cognito.signin.user.admin';

/** What GetUser refuses a token with that was revoked or signed out, or whose user was disabled, reset or deleted. */
const REFUSALS = new Set([
  'NotAuthorizedException',
  'UserNotFoundException',
  'UserNotConfirmedException',
  'PasswordResetRequiredException',
]);

/** Asks by GetUser, which takes the token itself and no IAM credentials. */
export function createAskPool(): AskPool {
  const cognito = createClient(requestTimeouts);
  return async (AccessToken, scope) => {
    if (!String(scope).split(' ').includes(SCOPE)) {
      throw new CountersignError('insufficient_scope', `The access token has to have the scope ${SCOPE}.`);
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
