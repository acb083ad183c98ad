import { AwsError } from '../../aws-error.ts';
import type { Client } from '../client.ts';
import { incorrect, invalidParameter, notAuthorized, userNotFound } from '../errors.ts';
import type { Pool } from '../pool.ts';
import type { Session } from '../sessions.ts';
import type { User } from '../users.ts';

/** One call of InitiateAuth, RespondToAuthChallenge or their Admin forms. */
export interface Attempt {
  pool: Pool;
  client: Client;
  /** AuthParameters, or ChallengeResponses. */
  parameters: Record<string, string>;
  /** ClientMetadata of RespondToAuthChallenge: the one that the challenge triggers see. */
  metadata?: Record<string, string>;
  /** ClientMetadata of InitiateAuth: only the pre-authentication trigger sees it. */
  validationData?: Record<string, string>;
}

/** An answer of those operations. */
export type Answer =
  | { ChallengeName: string; ChallengeParameters: Record<string, string>; Session: string }
  | { AuthenticationResult: Record<string, unknown>; ChallengeParameters: Record<string, string> };

/** The user who signs in. Without `user` nobody has that name, and the sign-in is played through to hide it. */
export interface Subject {
  user?: User;
  /** The user's own name, or a UUID that is always the same for that unknown name. */
  username: string;
}

/** Reads a required parameter. Throws `InvalidParameterException`. */
export function parameter(attempt: Attempt, name: string): string {
  const value = attempt.parameters[name];
  if (value === undefined || value === '') throw invalidParameter(`Missing required parameter ${name}`);
  return value;
}

function pseudonymOf(pool: Pool, name: string): string {
  const key = pool.settings.caseSensitive ? name : name.toLowerCase();
  const digits = pool.pseudonym('user', key).toString('hex');
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-a${digits.slice(17, 20)}-${digits.slice(20, 32)}`;
}

/** Finds the user of a name. Throws `UserNotFoundException` if the client does not hide who exists. */
export function subjectNamed({ pool, client }: Attempt, name: string): Subject {
  const user = pool.users.find(name);
  if (user) return { user, username: user.username };
  if (!client.hidesUsers) throw userNotFound();
  return { username: pseudonymOf(pool, name) };
}

/** Finds the user of a session. Throws `NotAuthorizedException` if the answer names somebody else, or the user is gone. */
export function subjectOf(attempt: Attempt, session: Session): Subject {
  const given = parameter(attempt, 'USERNAME');
  const user = session.sub === undefined ? undefined : attempt.pool.users.bySub(session.sub);
  if (session.sub !== undefined && !user) throw incorrect();
  const named = given === session.username || (user && attempt.pool.users.find(given) === user);
  const unknown = !user && pseudonymOf(attempt.pool, given) === session.username;
  if (!named && !unknown) throw notAuthorized('Invalid session for the user.');
  return { ...(user ? { user } : {}), username: session.username };
}

/** The userAttributes that triggers receive; empty for an unknown user. */
export function triggerAttributes(user: User | undefined): Record<string, string> {
  if (!user) return {};
  return { sub: user.sub, 'cognito:user_status': user.status, ...user.attributes };
}

/** Refuses a disabled user, and one who has to reset the password, as Cognito does. */
export function mayTry(user: User): void {
  if (!user.enabled) throw notAuthorized('User is disabled.');
  if (user.status === 'RESET_REQUIRED') {
    throw new AwsError('PasswordResetRequiredException', 'Password reset required for the user');
  }
}

/** Refuses a user who has not confirmed the sign-up. Call it after the right password only, as Cognito does. */
export function isConfirmed(user: User): void {
  if (user.status === 'UNCONFIRMED')
    throw new AwsError('UserNotConfirmedException', 'User is not confirmed.');
}

/** Calls the pre-authentication trigger, for unknown names too. It refuses by throwing. */
export async function preAuthentication(attempt: Attempt, { user, username }: Subject): Promise<void> {
  await attempt.pool.call({
    trigger: 'PreAuthentication',
    source: 'Authentication',
    username,
    clientId: attempt.client.id,
    request: {
      userAttributes: triggerAttributes(user),
      ...(attempt.validationData ? { validationData: attempt.validationData } : {}),
      ...(attempt.client.hidesUsers ? { userNotFound: !user } : {}),
    },
    response: {},
  });
}
