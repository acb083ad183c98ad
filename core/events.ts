import type { Method, Proved } from './proof.ts';

export interface Administrator {
  type: 'administrator';
  /** The ARN of the caller, as IAM or CloudTrail names it. */
  arn: string;
  reason?: string | undefined;
}

/** The actor. A user's `client` is the one whose API key was used, or Cognito's app client. */
export type Actor = { type: 'user'; client: string | undefined } | Administrator | { type: 'service' };

/** The actor, and the time in seconds since the epoch. */
export interface EventContext<A extends Actor = Actor> {
  at: number;
  actor: A;
}

/** The operation that a proof was given for. A refusal is named after it. */
export type Attempted = 'login' | 'step_up' | 'enrollment' | 'confirmation' | 'removal' | 'rotation';

/** An attempt that was refused, and what it has cost. */
interface Refused {
  type: `${Attempted}.refused`;
  method: Method;
  /** Set if this failure locked codes: until when, in seconds since the epoch. */
  lockedUntil?: number;
  /** Set if this failure stopped codes. */
  stoppedAt?: number;
}

/**
 * A change of a factor, as a listener would want it. Each transition names exactly one event. Its consequences are in its
 * fields: that a failure locked or stopped codes, or that a backup code was used up.
 */
export type FactorEvent = EventContext &
  (
    | ({ type: 'login.succeeded'; via: 'api' | 'cognito' } & Proved)
    | ({ type: 'step_up.succeeded' } & Proved)
    | Refused
    /** Nothing confirms the authenticator yet. The first one needs no proof. */
    | ({ type: 'enrollment.started'; authenticatorId: string } & (Proved | { method?: never }))
    /** `first`: backup codes came with it. */
    | { type: 'authenticator.added'; method: Method; authenticatorId: string; first: boolean }
    /** `removed`: ids. `last`: the backup codes went with it. */
    | ({ type: 'authenticator.removed'; removed: string[]; last: boolean } & Proved)
    | ({ type: 'backup_codes.rotated' } & Proved)
    /** The first sign-in that found no second factor where one will be required. */
    | { type: 'enrollment.requested' }
    /** `stopped`: codes were stopped, not just locked. */
    | { type: 'account.unlocked'; stopped: boolean; passwordChanged: boolean }
    /** `removed`: ids. */
    | { type: 'admin.reset'; removed: string[] }
    /** Every session from before has ended. `passwordSetAt`: with a new password. */
    | { type: 'sessions.revoked'; passwordSetAt: number | undefined }
    /** The sweep sealed the secrets of these authenticators under the active key. */
    | { type: 'secrets.resealed'; authenticatorIds: string[] }
  );

export type EventType = FactorEvent['type'];

/** A user who acts by this client now. */
export function byUser(client: string | undefined, at: number): EventContext {
  return { at, actor: { type: 'user', client } };
}

/** The service itself, without anybody's request. */
export function byService(at: number): EventContext {
  return { at, actor: { type: 'service' } };
}
