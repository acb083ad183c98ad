import { notAuthorized } from '../errors.ts';
import type { ChallengeResult, Step } from '../sessions.ts';
import type { User } from '../users.ts';
import type { Answer, Attempt } from './attempt.ts';
import { advance } from './custom.ts';
import { issue } from './issue.ts';

function challenge(attempt: Attempt, user: User, step: Step, parameters: Record<string, string>): Answer {
  const session = attempt.pool.sessions.open(
    { clientId: attempt.client.id, username: user.username, sub: user.sub, step },
    attempt.client.sessionValidity,
  );
  return { ChallengeName: step.challenge, ChallengeParameters: parameters, Session: session.id };
}

/** Asks for a new password in place of an administrator's temporary one. Throws if that has expired. */
function requireNewPassword(attempt: Attempt, user: User): Answer {
  if ((user.temporaryPasswordExpiresAt ?? 0) <= attempt.pool.clock.seconds()) {
    throw notAuthorized('Temporary password has expired and must be reset by an administrator.');
  }
  const { sub: _, ...attributes } = user.attributes;
  const missing = attempt.pool.settings.requiredAttributes.filter((name) => !user.attributes[name]);
  return challenge(
    attempt,
    user,
    { challenge: 'NEW_PASSWORD_REQUIRED' },
    {
      USER_ID_FOR_SRP: user.username,
      requiredAttributes: JSON.stringify(missing.map((name) => `userAttributes.${name}`)),
      userAttributes: JSON.stringify(attributes),
    },
  );
}

/**
 * Asks for the pool's own MFA if the pool demands it. Setting up an app is not emulated, so nobody gets further; where
 * MFA is optional, nobody has an app.
 */
export function ownMfa(attempt: Attempt, user: User): Answer | undefined {
  if (attempt.pool.settings.mfa !== 'ON') return undefined;
  return challenge(
    attempt,
    user,
    { challenge: 'MFA_SETUP' },
    {
      MFAS_CAN_SETUP: JSON.stringify(['SOFTWARE_TOKEN_MFA']),
      USER_ID_FOR_SRP: user.username,
    },
  );
}

/**
 * Continues after a right password: with a new password if it was temporary, the pool's own MFA, the rest of a custom
 * sign-in (`custom` is its history so far), or the tokens.
 */
export async function afterPassword(
  attempt: Attempt,
  user: User,
  custom?: ChallengeResult[],
): Promise<Answer> {
  // Cognito leaves the custom sign-in here: the new password is answered with tokens, without asking define.
  if (user.status === 'FORCE_CHANGE_PASSWORD') return requireNewPassword(attempt, user);
  const mfa = ownMfa(attempt, user);
  if (mfa) return mfa;
  if (!custom) return issue(attempt, user);
  const proved = { challengeName: 'PASSWORD_VERIFIER', challengeResult: true, challengeMetadata: null };
  return advance(attempt, { user, username: user.username }, [...custom, proved]);
}
