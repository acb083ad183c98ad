import type { Attempted, EventContext } from './events.ts';
import {
  type Authenticator,
  type BackupCodes,
  type Factor,
  isEnabled,
  type PendingAuthenticator,
} from './factor.ts';
import { type Budget, countFailure, forgiveFailures, type Limits } from './limits.ts';
import type { Method, Proved, Proven } from './proof.ts';
import { newGeneration, removeAuthenticators, type Transition } from './transition.ts';

/** A challenge was answered. It is kept until it expires, so that it is answered once. */
export function loginSucceeded(
  { factor, proved }: Proven,
  challenge: { id: string; expiresAt: number; via: 'api' | 'cognito' },
  context: EventContext,
): Transition {
  const answered = { ...factor.answered, [challenge.id]: challenge.expiresAt };
  return {
    next: { ...factor, answered },
    event: { type: 'login.succeeded', via: challenge.via, ...proved, ...context },
  };
}

/** Somebody signed in proved the second factor again. */
export function stepUpSucceeded({ factor, proved }: Proven, context: EventContext): Transition {
  return { next: factor, event: { type: 'step_up.succeeded', ...proved, ...context } };
}

/** A proof was wrong or used before: one failure more. Undefined if there is nothing left to count. */
export function refused(
  factor: Factor,
  { attempted, method, budget }: { attempted: Attempted; method: Method; budget: Budget },
  limits: Limits,
  context: EventContext,
): Transition | undefined {
  const next = countFailure(factor, budget, context.at, limits);
  if (!next) return undefined;
  const locked = next.lockedUntil !== factor.lockedUntil;
  const { stoppedAt } = next;
  return {
    next,
    event: {
      type: `${attempted}.refused`,
      method,
      ...(locked && { lockedUntil: next.lockedUntil }),
      ...(stoppedAt !== undefined && stoppedAt !== factor.stoppedAt && { stoppedAt }),
      ...context,
    },
  };
}

/** A secret waits for its first code. Enrolled authenticators stay in force. */
export function enrollmentStarted(
  factor: Factor,
  pending: PendingAuthenticator,
  proved: Proved | undefined,
  context: EventContext,
): Transition {
  return {
    next: { ...factor, pending },
    event: { type: 'enrollment.started', authenticatorId: pending.id, ...proved, ...context },
  };
}

/**
 * The pending authenticator is in force. It was proved alone, so it forgives no failure of those that were there before.
 *
 * @param session the other issuer's session that proved it: it outlives the change
 */
export function authenticatorAdded(
  factor: Factor,
  authenticator: Authenticator,
  { backupCodes, method, session }: { backupCodes: BackupCodes | undefined; method: Method } & ProvenBy,
  context: EventContext,
): Transition {
  const first = !isEnabled(factor);
  const grown: Factor = {
    ...(first ? forgiveFailures(factor) : factor),
    authenticators: [...factor.authenticators, authenticator],
    backupCodes: backupCodes ?? factor.backupCodes,
    // The enrollment that a ticket, or a new password, was required for is done.
    reset: undefined,
  };
  return {
    next: newGeneration(grown, context.at, session),
    event: { type: 'authenticator.added', method, authenticatorId: authenticator.id, first, ...context },
  };
}

/** One authenticator is gone, or all of them if no id is given. */
export function authenticatorRemoved(
  { factor, proved }: Proven,
  { authenticatorId, session }: { authenticatorId: string | undefined } & ProvenBy,
  context: EventContext,
): Transition {
  const { left, removed } = removeAuthenticators(factor, authenticatorId);
  return {
    next: newGeneration(left, context.at, session),
    event: { type: 'authenticator.removed', removed, last: !isEnabled(left), ...proved, ...context },
  };
}

/** A new set of backup codes; every older code is dead. */
export function backupCodesRotated(
  { factor, proved }: Proven,
  { backupCodes, session }: { backupCodes: BackupCodes } & ProvenBy,
  context: EventContext,
): Transition {
  return {
    next: newGeneration({ ...factor, backupCodes }, context.at, session),
    event: { type: 'backup_codes.rotated', ...proved, ...context },
  };
}

/** The days until a second factor is required count from now. */
export function enrollmentRequested(factor: Factor, context: EventContext): Transition {
  return {
    next: { ...factor, askedToEnrollAt: context.at },
    event: { type: 'enrollment.requested', ...context },
  };
}

/** The sweep sealed secrets again. Nothing else changes, and no attempt is refused because of it. */
export function secretsResealed(
  factor: Factor,
  { authenticators, pending }: Pick<Factor, 'authenticators' | 'pending'>,
  context: EventContext,
): Transition {
  const old = new Set([...factor.authenticators, factor.pending]);
  const resealed = [...authenticators, ...(pending ? [pending] : [])].filter((one) => !old.has(one));
  return {
    next: { ...factor, authenticators, pending },
    event: { type: 'secrets.resealed', authenticatorIds: resealed.map(({ id }) => id), ...context },
  };
}

interface ProvenBy {
  /** The other issuer's session that proved the change; undefined for an own one. */
  session: string | undefined;
}
