import { afterPassword, mustEnrollAtSignIn } from './enrollment-policy.ts';
import { CountersignError } from './error.ts';
import type { FirstFactor, Records, SignInSource, Tokens } from './ports.ts';
import { claimsOf, openSession, type Session, type SessionInput } from './session.ts';
import type { Settings } from './settings.ts';

/** How a challenge may be answered. */
type ChallengeMethods = ('totp' | 'backup_code')[] | 'enrollment_ticket'[];

export type LoginAnswer =
  | ({
      status: 'authenticated';
      totpEnabled: false;
      /** Present if this session can do nothing but enroll. */
      enrollmentRequired?: true;
    } & Session)
  | { status: 'challenge'; challengeToken: string; expiresIn: number; methods: ChallengeMethods };

/**
 * The first step of signing in: a session where there is no second factor, a challenge where there is one. After a reset
 * the challenge asks for the ticket, or the password has to be a new one.
 *
 * @throws CountersignError whatever the first factor refuses with; `new_password_required`, `temporarily_unavailable`
 */
export async function login(
  services: { records: Records; firstFactor: FirstFactor; tokens: Tokens; settings: Settings },
  input: { username: string; password: string; source?: SignInSource; client: string; now: number },
): Promise<LoginAnswer> {
  const { username, password, source, client, now } = input;
  const proved = await services.firstFactor.check(username, password, source);
  const user = { realm: services.settings.realm, sub: proved.sub };
  const factor = await services.records.read(user);
  const session: SessionInput = {
    user,
    username: proved.username,
    client,
    generation: factor.generation,
    authTime: now,
    amr: ['pwd'],
  };
  const next = afterPassword(factor);
  if (next === 'new_password') throw new CountersignError('new_password_required');
  if (next === 'session') {
    const enrollmentRequired = await mustEnrollAtSignIn(services, user, factor, now);
    return {
      status: 'authenticated',
      ...(await openSession(services, { ...session, enrollmentRequired }, now)),
      totpEnabled: false,
      ...(enrollmentRequired && { enrollmentRequired }),
    };
  }
  const expiresIn = services.settings.lifetimes.challenge;
  const claims = { ...claimsOf(session, now), exp: now + expiresIn };
  return {
    status: 'challenge',
    challengeToken: await services.tokens.sign('challenge', claims, now),
    expiresIn,
    methods: next === 'enrollment_ticket' ? ['enrollment_ticket'] : ['totp', 'backup_code'],
  };
}
