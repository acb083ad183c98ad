import { mustEnroll } from './enrollment-policy.ts';
import { CountersignError } from './error.ts';
import type { Families, Records, Tokens } from './ports.ts';
import { continueSession, type Session } from './session.ts';
import type { Settings } from './settings.ts';

/**
 * Returns the next pair of a session for a refresh token that works once (RFC 9700 §4.14.2). Using an older one again ends
 * the whole family, the newest token too.
 *
 * One exception is for two tabs that refresh at once: within `lifetimes.refreshGrace` the token just used gives one more
 * pair. Its refresh token has the same number as the first one, so using one later than the grace of the other ends the family.
 *
 * @throws CountersignError `refresh_token_invalid`, `enrollment_required`, `temporarily_unavailable`
 */
export async function refresh(
  services: { records: Records; families: Families; tokens: Tokens; settings: Settings },
  { refreshToken, client, now }: { refreshToken: string; client: string; now: number },
): Promise<Session> {
  const claims = await services.tokens.verify('refresh', refreshToken, now);
  if (!claims || claims.client_id !== client) throw new CountersignError('refresh_token_invalid');
  const { family, sequence } = claims;
  const endsAt = claims.exp;
  const grace = services.settings.lifetimes.refreshGrace;

  const user = { realm: claims.realm, sub: claims.sub };
  const factor = await services.records.read(user);
  const { generation } = factor;
  // A session from before a change of the second factor has ended with it.
  if (claims.gen !== generation) throw new CountersignError('refresh_token_invalid');
  if (mustEnroll(factor, services.settings, now)) throw new CountersignError('enrollment_required');

  await services.tokens.ready(now);
  if (!(await services.families.advance(family, sequence, { endsAt, now, grace }))) {
    throw new CountersignError('refresh_token_invalid');
  }
  const session = {
    user,
    username: claims.username,
    client,
    generation,
    authTime: claims.auth_time,
    amr: claims.amr,
  };
  return continueSession(services, session, { id: family, sequence: sequence + 1, endsAt }, now);
}
