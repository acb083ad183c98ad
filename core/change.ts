import { type Caller, withSecondFactor } from './claims.ts';
import { mustEnroll } from './enrollment-policy.ts';
import { CountersignError } from './error.ts';
import { byUser, type EventContext } from './events.ts';
import type { Factor } from './factor.ts';
import type { PoolSessions, Services } from './ports.ts';
import { openSession, type Session } from './session.ts';
import type { Transition } from './transition.ts';
import type { User } from './user.ts';

/** The part of the answer that every change of the second factor has. */
export type AfterChange = Partial<Session> & {
  /** Only if the configuration ends Cognito's sessions, for a user of the pool: whether they were ended. */
  cognitoSessionsEnded?: boolean;
};

/**
 * Makes a change of the second factor by one attempt. It ends every other session, Cognito's too if so configured, and
 * gives the caller a new one.
 *
 * @param attempt writes the change
 * @throws CountersignError what `attempt` throws; nothing fails after the write
 */
export async function change(
  services: Services,
  { caller, client, now }: { caller: Caller; client: string; now: number },
  attempt: (context: EventContext) => Promise<Transition>,
): Promise<{ next: Factor; after: AfterChange }> {
  await services.tokens.ready(now);
  const { next } = await attempt(byUser(client, now));
  const ended = await endPoolSessions(services.poolSessions, caller.user);
  const session = await nextSession(services, caller, next, client, now);
  return { next, after: { ...ended, ...session } };
}

/** Ends the user pool's own sessions. The change stands by then, so a failure is said in the answer and does not undo it. */
async function endPoolSessions(poolSessions: PoolSessions | undefined, user: User): Promise<AfterChange> {
  if (!poolSessions) return {};
  try {
    return (await poolSessions.end(user)) ? { cognitoSessionsEnded: true } : {};
  } catch (error) {
    if (error instanceof CountersignError) return { cognitoSessionsEnded: false };
    throw error;
  }
}

/**
 * Opens a new session for whoever made the change. Returns `{}` if no password was checked here: another issuer's session,
 * by its own token or a step-up's, is its issuer's to continue.
 */
async function nextSession(
  services: Services,
  caller: Caller,
  changed: Factor,
  client: string,
  now: number,
): Promise<AfterChange> {
  if (!caller.amr.includes('pwd')) return {};
  const input = {
    user: caller.user,
    username: caller.account,
    client,
    generation: changed.generation,
    authTime: now,
    amr: withSecondFactor(caller.amr),
    enrollmentRequired: mustEnroll(changed, services.settings, now),
  };
  return openSession(services, input, now);
}
