import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { unavailable } from '../core/error.ts';

/** Seconds after which a key set is fetched again. */
const TTL = 600;

/** The most seconds for which a stale key set is used while no newer one can be had: a withdrawn key dies within it. */
const STALE_TTL = 3600;

/** At most one fetch in so many seconds, whatever came of it: tokens with made-up key ids cause no more than that. */
const COOLDOWN = 30;

/** Milliseconds for the whole answer. */
const TIMEOUT = 2000;

/** Finds the key that a token names, at this time (in seconds since the epoch). */
type IssuerKeys = (now: number) => JWTVerifyGetKey;

/**
 * Caches a trusted issuer's key set (RFC 7517 §5) and fetches it again when it is old or does not know a key. A failure is
 * remembered too: until the cooldown is over, what the cached keys verify is accepted, and everything else is a fault.
 *
 * The key it finds throws CountersignError `temporarily_unavailable` if no key set can be had, and jose's
 * JWKSNoMatchingKey if the issuer has no such key.
 */
export function createIssuerKeys(jwksUri: string): IssuerKeys {
  let cached: { at: number; find: JWTVerifyGetKey } | undefined;
  let last: { at: number; find: Promise<JWTVerifyGetKey> } | undefined;

  /** The newest key set: of a new fetch, or of the last one if that was just now. */
  const newest = async (now: number): Promise<JWTVerifyGetKey> => {
    if (!last || now >= last.at + COOLDOWN) last = { at: now, find: fetchKeySet(jwksUri) };
    const { at, find } = last;
    try {
      const found = await find;
      if (!cached || at >= cached.at) cached = { at, find: found };
      return found;
    } catch (error) {
      throw unavailable(error, Math.max(1, at + COOLDOWN - now));
    }
  };

  const usable = async (now: number): Promise<JWTVerifyGetKey> => {
    if (cached && now < cached.at + TTL) return cached.find;
    try {
      return await newest(now);
    } catch (error) {
      if (cached && now < cached.at + STALE_TTL) return cached.find;
      throw error;
    }
  };

  return (now) => async (header, token) => {
    const find = await usable(now);
    try {
      return await find(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      // A key made since, or none of theirs. If the newest fetch failed, nobody knows which.
      return (await newest(now))(header, token);
    }
  };
}

/** @throws JWKSTimeout or JWKSInvalid: the log has an error's name only */
async function fetchKeySet(jwksUri: string): Promise<JWTVerifyGetKey> {
  try {
    const response = await fetch(jwksUri, {
      headers: { accept: 'application/json, application/jwk-set+json' },
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT),
    });
    if (response.status === 200) return createLocalJWKSet((await response.json()) as JSONWebKeySet);
    await response.body?.cancel();
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'TimeoutError')
      throw new errors.JWKSTimeout(undefined, { cause });
    throw new errors.JWKSInvalid('The key set could not be fetched or read.', { cause });
  }
  throw new errors.JWKSInvalid('The key set was not answered with 200.');
}
