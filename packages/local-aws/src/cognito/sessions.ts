import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { notAuthorized } from './errors.ts';
import type { SrpOffer } from './srp.ts';

/** One finished step of a custom sign-in, as the triggers see it. */
export interface ChallengeResult {
  challengeName: string;
  challengeResult: boolean;
  challengeMetadata: string | null;
}

/** The data each kind of challenge keeps until its answer. `custom` is the history of a custom sign-in. */
export type Step =
  | {
      challenge: 'PASSWORD_VERIFIER';
      srp: SrpOffer;
      verifier: string;
      secretBlock: string;
      custom?: ChallengeResult[];
    }
  | {
      challenge: 'CUSTOM_CHALLENGE';
      custom: ChallengeResult[];
      privateParameters: Record<string, string>;
      metadata: string | null;
    }
  | { challenge: 'NEW_PASSWORD_REQUIRED' }
  | { challenge: 'MFA_SETUP' };

/** A sign-in in progress. Without a `sub`, nobody has that name, and the sign-in is played through all the same. */
export interface Session {
  id: string;
  clientId: string;
  /** The name that the client is told to answer with. */
  username: string;
  sub?: string;
  expiresAt: number;
  step: Step;
}

export interface Sessions {
  /** Starts a session of so many seconds. */
  open(session: Omit<Session, 'id' | 'expiresAt'>, seconds: number, id?: string): Session;
  /** Takes the session out: it can be used once. Throws `NotAuthorizedException`. */
  take(id: string, clientId: string, challenge: Step['challenge']): Session;
  /** Puts it back if the answer was refused but may be given again, such as a password against the policy. */
  putBack(session: Session): void;
}

/** An unguessable session id, of the length that Cognito's API allows (20 to 2048). */
export const newSessionId = () => randomBytes(96).toString('base64url');

/** Keeps the sign-ins in progress, in memory: a restart ends them. */
export function createSessions(clock: Clock): Sessions {
  const open = new Map<string, Session>();
  const used = new Map<string, number>();
  const forget = () => {
    const now = clock.now();
    for (const [id, session] of open) if (session.expiresAt + 3_600_000 < now) open.delete(id);
    for (const [id, expiresAt] of used) if (expiresAt + 3_600_000 < now) used.delete(id);
  };
  return {
    open(session, seconds, id = newSessionId()) {
      forget();
      const opened = { ...session, id, expiresAt: clock.now() + seconds * 1000 };
      open.set(id, opened);
      return opened;
    },
    take(id, clientId, challenge) {
      if (used.has(id)) throw notAuthorized('Invalid session for the user, session can only be used once.');
      const session = open.get(id);
      const fits = session?.step.challenge === challenge && session.clientId === clientId;
      if (!session || !fits) throw notAuthorized('Invalid session for the user.');
      open.delete(id);
      used.set(id, session.expiresAt);
      if (session.expiresAt <= clock.now()) {
        throw notAuthorized('Invalid session for the user, session is expired.');
      }
      return session;
    },
    putBack(session) {
      used.delete(session.id);
      open.set(session.id, session);
    },
  };
}
