import type { FactorEvent } from './events.ts';
import type { Authenticator, Factor } from './factor.ts';
import { forgiveAllFailures } from './limits.ts';
import { randomId } from './random.ts';

/**
 * A decision on a factor: its next state, and the event that listeners learn of. `commit` writes it. All the ways a factor
 * changes are in transitions.ts and admin-transitions.ts, each named after its event.
 */
export interface Transition {
  next: Factor;
  event: FactorEvent;
}

/**
 * Starts a new generation: voids all sessions and any pending enrollment. A pending secret that outlived them would be
 * confirmed by whoever knows it, with any later session.
 */
export function newGeneration(factor: Factor, now: number, provenBy?: string): Factor {
  return { ...factor, pending: undefined, generation: randomId(), changedAt: now, provenBy };
}

/**
 * Removes one authenticator, or all of them if no id is given; with the last one the backup codes go. The item itself stays:
 * its generation keeps older sessions void.
 *
 * Failures and a stop go too once no authenticator is left that was guessed at. One that was enrolled after the stop never
 * was.
 */
export function removeAuthenticators(
  factor: Factor,
  authenticatorId: string | undefined,
): { left: Factor; removed: string[] } {
  const goes = ({ id }: Authenticator) => authenticatorId === undefined || id === authenticatorId;
  const removed = factor.authenticators.filter(goes).map(({ id }) => id);
  const authenticators = factor.authenticators.filter((one) => !goes(one));
  const last = authenticators.length === 0;
  const left = { ...factor, authenticators, backupCodes: last ? undefined : factor.backupCodes };
  const { stoppedAt } = factor;
  const untouched = stoppedAt !== undefined && authenticators.every(({ createdAt }) => createdAt > stoppedAt);
  return { left: last || untouched ? forgiveAllFailures(left) : left, removed };
}
