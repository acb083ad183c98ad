import { isEnabled } from './factor.ts';
import type { FirstFactor, Records, SignInSource, Tokens } from './ports.ts';
import { claimsOf, type Grounds, openSession, type Session } from './session.ts';
import type { Settings } from './settings.ts';

/** How a challenge may be answered. */
export const METHODS = ['totp', 'backup_code'] as const;

export type LoginAnswer =
  | ({ status: 'authenticated'; totpEnabled: false } & Session)
  | { status: 'challenge'; challengeToken: string; expiresIn: number; methods: typeof METHODS };

/**
 * The first step of signing in: a session where there is no second factor, a challenge where there is one.
 *
 * @throws CountersignError whatever the first factor refuses with; `temporarily_unavailable`
 */
export async function login(
  services: { records: Records; firstFactor: FirstFactor; tokens: Tokens; settings: Settings },
  input: { username: string; password: string; source?: SignInSource; client: string; now: number },
): Promise<LoginAnswer> {
  const { username, password, source, client, now } = input;
  const proved = await services.firstFactor.check(username, password, source);
  const user = { realm: services.settings.realm, sub: proved.sub };
  const factor = await services.records.read(user);
  const grounds: Grounds = {
    user,
    username: proved.username,
    client,
    generation: factor.generation,
    authTime: now,
    amr: ['pwd'],
  };
  if (!isEnabled(factor)) {
    return { status: 'authenticated', ...(await openSession(services, grounds, now)), totpEnabled: false };
  }
  const expiresIn = services.settings.lifetimes.challenge;
  const claims = { ...claimsOf(grounds, now), exp: now + expiresIn };
  return {
    status: 'challenge',
    challengeToken: await services.tokens.sign('challenge', claims, now),
    expiresIn,
    methods: METHODS,
  };
}
