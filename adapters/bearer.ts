import { decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose';
import type { Caller } from '../core/claims.ts';
import { CountersignError, unavailable } from '../core/error.ts';
import type { Tokens } from '../core/ports.ts';
import { subjectOf } from '../core/user.ts';
import type { Environment, TrustedIssuer } from './environment.ts';
import { createIssuerKeys } from './issuer-keys.ts';
import type { AskPool } from './pool-token.ts';

/** Whose tokens are taken beside Countersign's own. */
interface Issuers {
  TRUSTED_ISSUERS: TrustedIssuer[];
  SETTINGS: Pick<Environment['SETTINGS'], 'realm'>;
}

/** @param client the client whose API key the request carries */
export type Bearer = (authorization: string | undefined, client: string, now: number) => Promise<Caller>;

/**
 * Returns the caller by the access token (RFC 6750 §2.1): Countersign's own, or a trusted issuer's. It is checked in the function itself: no authorizer hop, no cached policy.
 *
 * An own token is of use only with an API key of the client it was issued to, as challenges and refresh tokens are. Other
 * issuers know nothing of these clients, so their tokens are not bound to one.
 *
 * @param askPool for operations that ask Cognito about the pool's tokens; without it, asking is a defect
 * @throws CountersignError `token_invalid`, or `temporarily_unavailable` where an issuer's keys cannot be had
 */
export function createBearer(
  tokens: Pick<Tokens, 'verify'>,
  { TRUSTED_ISSUERS: trusted, SETTINGS: { realm: homeRealm } }: Issuers,
  askPool: AskPool = () => Promise.reject(new TypeError('This operation cannot ask the pool.')),
): Bearer {
  const verifiers = new Map(
    trusted.map((issuer) => [issuer.issuer, createVerifier(issuer, homeRealm, askPool)]),
  );
  return async (authorization, client, now) => {
    const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization ?? '')?.[1];
    if (!token) throw new CountersignError('token_invalid');
    const verifier = verifiers.get(issuerOf(token) ?? '');
    const caller = await (verifier ? verifier(token, now) : ownCaller(tokens, token, client, now));
    if (!caller) throw new CountersignError('token_invalid');
    return caller;
  };
}

async function ownCaller(
  tokens: Pick<Tokens, 'verify'>,
  token: string,
  client: string,
  now: number,
): Promise<Caller | undefined> {
  const claims = await tokens.verify('access', token, now);
  if (claims?.client_id !== client) return undefined;
  return {
    user: { realm: claims.realm, sub: claims.sub },
    account: claims.username,
    authTime: claims.auth_time,
    amr: claims.amr,
    generation: claims.gen,
    ...(claims.sid !== undefined && { sid: claims.sid }),
    ...(claims.origin_jti !== undefined && { session: claims.origin_jti }),
    ...(claims.enrollment_required && { enrollmentRequired: true }),
  };
}

/** Not verified yet: only chooses who is to verify. */
function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

function createVerifier(trusted: TrustedIssuer, homeRealm: string, askPool: AskPool) {
  const keys = createIssuerKeys(trusted.jwksUri);
  return async (token: string, now: number): Promise<Caller | undefined> => {
    try {
      const { payload } = await jwtVerify(token, keys(now), {
        algorithms: trusted.algorithms,
        issuer: trusted.issuer,
        ...(trusted.audience && { audience: trusted.audience }),
        requiredClaims: ['sub', 'exp', 'auth_time'],
        currentDate: new Date(now * 1000),
      });
      const caller = callerOf(payload, trusted, homeRealm, now);
      if (caller && trusted.pool) caller.isSignedIn = () => askPool(token, payload['scope']);
      return caller;
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      // A key that cannot be read is the issuer's fault too.
      throw error instanceof CountersignError ? error : unavailable(error);
    }
  };
}

/** Room for the issuer's clock, in seconds. */
const SKEW = 60;

function callerOf(
  payload: JWTPayload,
  trusted: TrustedIssuer,
  homeRealm: string,
  now: number,
): Caller | undefined {
  const { sub, auth_time: authTime, client_id: clientId, token_use: use, origin_jti: session } = payload;
  if (typeof sub !== 'string' || !sub.isWellFormed()) return undefined;
  const user = { realm: trusted.realm, sub };
  // A user whom no own token could name could not step up: it would fail after the code was spent.
  if (subjectOf(user, homeRealm) === undefined) return undefined;
  // Milliseconds, or a clock of its own, would be a sign-in that is always recent.
  if (typeof authTime !== 'number' || authTime > now + SKEW) return undefined;
  if (trusted.tokenUse && use !== trusted.tokenUse) return undefined;
  if (trusted.clientIds && !trusted.clientIds.some((id) => id === clientId)) return undefined;
  const account = payload[trusted.accountClaim];
  return {
    user,
    account: isLabel(account) ? account : sub,
    // In whole seconds: a fraction of the second of a change is not after it.
    authTime: Math.floor(authTime),
    // The factors of another issuer's session are unknown here, so nothing is claimed about them.
    amr: [],
    generation: undefined,
    session: typeof session === 'string' ? session : undefined,
  };
}

/** The most characters that fit above a code in an authenticator app. */
function isLabel(claim: unknown): claim is string {
  return typeof claim === 'string' && claim.length > 0 && claim.length <= 128 && claim.isWellFormed();
}
