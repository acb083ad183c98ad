import { type AuthenticationMethod, acrOf, type Caller } from './claims.ts';
import { mustEnroll } from './enrollment-policy.ts';
import { CountersignError } from './error.ts';
import type { Factor } from './factor.ts';
import type { PoolSessions, Tokens } from './ports.ts';
import { randomId } from './random.ts';
import type { Settings } from './settings.ts';
import type { User } from './user.ts';

export interface AccessToken {
  accessToken: string;
  tokenType: 'Bearer';
  /** Seconds. */
  expiresIn: number;
}

export interface Session extends AccessToken {
  refreshToken: string;
}

/** What a session is made of: who, for whom, how proved, and of which generation. */
export interface Grounds {
  user: User;
  username: string;
  client: string;
  generation: string;
  authTime: number;
  amr: AuthenticationMethod[];
  /** The refresh family of the own session behind it. */
  sid?: string | undefined;
  /** The other issuer's session behind it. */
  session?: string | undefined;
  /** Whether the session can do nothing but enroll. */
  enrollmentRequired?: boolean | undefined;
}

interface Issuing {
  tokens: Tokens;
  settings: Settings;
}

/** A new session: an access token, and the first refresh token of a new family, which is stored when first used. */
export async function openSession(issuing: Issuing, grounds: Grounds, now: number): Promise<Session> {
  const family = { id: randomId(), sequence: 0, endsAt: now + issuing.settings.lifetimes.refreshToken };
  return continueSession(issuing, grounds, family, now);
}

/** The next pair of a session. */
export async function continueSession(
  issuing: Issuing,
  grounds: Grounds,
  family: { id: string; sequence: number; endsAt: number },
  now: number,
): Promise<Session> {
  const [access, refreshToken] = await Promise.all([
    issueAccessToken(issuing, { ...grounds, sid: family.id }, now),
    issuing.tokens.sign(
      'refresh',
      { ...claimsOf(grounds, now), exp: family.endsAt, family: family.id, sequence: family.sequence },
      now,
    ),
  ]);
  return { ...access, refreshToken };
}

/** An access token alone (RFC 9068). */
export async function issueAccessToken(
  { tokens, settings }: Issuing,
  grounds: Grounds,
  now: number,
): Promise<AccessToken> {
  const expiresIn = settings.lifetimes.accessToken;
  const { amr, sid, session, enrollmentRequired } = grounds;
  const claims = {
    ...claimsOf(grounds, now),
    exp: now + expiresIn,
    acr: acrOf(amr),
    ...(sid !== undefined && { sid }),
    ...(session !== undefined && { origin_jti: session }),
    ...(enrollmentRequired && { enrollment_required: true }),
  };
  return { accessToken: await tokens.sign('access', claims, now), tokenType: 'Bearer', expiresIn };
}

export function claimsOf({ user, username, client, generation, authTime, amr }: Grounds, now: number) {
  return {
    sub: user.sub,
    realm: user.realm,
    username,
    client_id: client,
    jti: randomId(),
    iat: now,
    auth_time: authTime,
    amr,
    gen: generation,
  };
}

/**
 * A token from before the last change of the second factor is void, whatever its `exp` says. Own tokens carry the
 * generation read at sign-in, so no clock decides; another issuer's are held against the time of the change, the very
 * second included, but for the session that proved the change.
 *
 * @throws CountersignError `token_invalid`
 */
export function refuseUnlessCurrent(caller: Caller, factor: Factor): void {
  const current =
    caller.generation === undefined
      ? caller.authTime > factor.changedAt ||
        (caller.session !== undefined && caller.session === factor.provenBy)
      : caller.generation === factor.generation;
  if (!current) throw new CountersignError('token_invalid');
}

export interface PoolSessionsEnded {
  /** Only where the configuration wants Cognito's sessions ended, of a user of the pool: whether they were. */
  cognitoSessionsEnded?: boolean;
}

/**
 * Ends the user pool's own sessions after a change, where that is wanted. The change stands by then, so a failure does not
 * undo the answer: it is said in it.
 */
export async function endPoolSessions(
  poolSessions: PoolSessions | undefined,
  user: User,
): Promise<PoolSessionsEnded> {
  if (!poolSessions) return {};
  try {
    return (await poolSessions.end(user)) ? { cognitoSessionsEnded: true } : {};
  } catch (error) {
    if (error instanceof CountersignError) return { cognitoSessionsEnded: false };
    throw error;
  }
}

/**
 * The session that proved a change goes on as a new one, in the new generation; every other has ended. Empty where no
 * password was seen here: that is another issuer's session, by its own token or a step-up's, and theirs to go on with.
 */
export async function sessionAfterChange(
  issuing: Issuing,
  caller: Caller,
  changed: Factor,
  client: string,
  amr: AuthenticationMethod[],
  now: number,
): Promise<Session | Record<string, never>> {
  if (!caller.amr.includes('pwd')) return {};
  return openSession(
    issuing,
    {
      user: caller.user,
      username: caller.account,
      client,
      generation: changed.generation,
      authTime: now,
      amr,
      enrollmentRequired: mustEnroll(changed, issuing.settings, now),
    },
    now,
  );
}
