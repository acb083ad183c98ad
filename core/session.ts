import { type AuthenticationMethod, acrOf, type Caller } from './claims.ts';
import { CountersignError } from './error.ts';
import { type Factor, isEnabled } from './factor.ts';
import type { Records, Tokens } from './ports.ts';
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

/** The facts that a session states: user, client, how it was proved, and the generation. */
export interface SessionInput {
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
export async function openSession(issuing: Issuing, input: SessionInput, now: number): Promise<Session> {
  const family = { id: randomId(), sequence: 0, endsAt: now + issuing.settings.lifetimes.refreshToken };
  return continueSession(issuing, input, family, now);
}

/** The next pair of a session. */
export async function continueSession(
  issuing: Issuing,
  input: SessionInput,
  family: { id: string; sequence: number; endsAt: number },
  now: number,
): Promise<Session> {
  const [access, refreshToken] = await Promise.all([
    issueAccessToken(issuing, { ...input, sid: family.id }, now),
    issuing.tokens.sign(
      'refresh',
      { ...claimsOf(input, now), exp: family.endsAt, family: family.id, sequence: family.sequence },
      now,
    ),
  ]);
  return { ...access, refreshToken };
}

/** An access token alone (RFC 9068). */
export async function issueAccessToken(
  { tokens, settings }: Issuing,
  input: SessionInput,
  now: number,
): Promise<AccessToken> {
  const expiresIn = settings.lifetimes.accessToken;
  const { amr, sid, session, enrollmentRequired } = input;
  const claims = {
    ...claimsOf(input, now),
    exp: now + expiresIn,
    acr: acrOf(amr),
    ...(sid !== undefined && { sid }),
    ...(session !== undefined && { origin_jti: session }),
    ...(enrollmentRequired && { enrollment_required: true }),
  };
  return { accessToken: await tokens.sign('access', claims, now), tokenType: 'Bearer', expiresIn };
}

export function claimsOf({ user, username, client, generation, authTime, amr }: SessionInput, now: number) {
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

/**
 * Reads the factor of a caller whose token is not older than its last change.
 *
 * @throws CountersignError `token_invalid`, `temporarily_unavailable`
 */
export async function readCurrent({ records }: { records: Records }, caller: Caller): Promise<Factor> {
  const factor = await records.read(caller.user);
  refuseUnlessCurrent(caller, factor);
  return factor;
}

/**
 * Reads the factor of such a caller who has an authenticator in force.
 *
 * @throws CountersignError `token_invalid`, `not_enrolled`, `temporarily_unavailable`
 */
export async function readEnrolled(services: { records: Records }, caller: Caller): Promise<Factor> {
  const factor = await readCurrent(services, caller);
  if (!isEnabled(factor)) throw new CountersignError('not_enrolled');
  return factor;
}
