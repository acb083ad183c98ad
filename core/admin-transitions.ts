import type { Administrator, EventContext } from './events.ts';
import type { Administered, Factor } from './factor.ts';
import { forgiveAllFailures, forgiveFailures } from './limits.ts';
import { newGeneration, removeAuthenticators, type Transition } from './transition.ts';

/** Support lifted a lock, or a stop with all failures. */
export function accountUnlocked(
  factor: Factor,
  { stopped, passwordChanged }: { stopped: boolean; passwordChanged: boolean },
  context: EventContext<Administrator>,
): Transition {
  const forgiven = stopped ? forgiveAllFailures(factor) : forgiveFailures(factor);
  const type = 'account.unlocked';
  const administered = { ...administeredOf(type, context), ...(passwordChanged && { passwordChanged }) };
  return {
    next: { ...forgiven, administered, ...(passwordChanged && { passwordSetAt: context.at }) },
    event: { type, stopped, passwordChanged, ...context },
  };
}

/**
 * An administrator removed the whole factor, its failures and a stop included.
 *
 * @param reset what the next enrollment requires. @default what it required before
 */
export function accountReset(
  factor: Factor,
  context: EventContext<Administrator>,
  reset = factor.reset,
): Transition {
  const { left, removed } = removeAuthenticators(factor, undefined);
  const administered = administeredOf('admin.reset', context);
  return {
    next: { ...newGeneration(left, context.at), reset, administered },
    event: { type: 'admin.reset', removed, ...context },
  };
}

/**
 * Every session from before has ended. The factor stays.
 *
 * @param passwordSetAt when the password became a new one, if it did; an older time than the known one changes nothing
 */
export function sessionsRevoked(
  factor: Factor,
  passwordSetAt: number | undefined,
  { at, actor }: EventContext,
): Transition {
  const newer = passwordSetAt !== undefined && passwordSetAt > (factor.passwordSetAt ?? 0);
  const byAdministrator = actor.type === 'administrator';
  return {
    next: {
      ...newGeneration(factor, at),
      ...(newer && { passwordSetAt }),
      ...(byAdministrator && { revoked: administeredOf('sessions.revoked', { at, actor }) }),
    },
    event: { type: 'sessions.revoked', passwordSetAt, at, actor },
  };
}

/** Returns what the record keeps of an administrator's act. */
function administeredOf(
  type: Administered['type'],
  { at, actor: { arn, reason } }: EventContext<Administrator>,
): Administered {
  return { type, at, by: arn, ...(reason !== undefined && { reason }) };
}
