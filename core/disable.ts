import { attempt, changed } from './attempt.ts';
import { type Caller, withSecondFactor } from './claims.ts';
import { CountersignError } from './error.ts';
import { type Factor, isEnabled } from './factor.ts';
import { budgetOf, isStopped, withoutAnyFailure } from './limits.ts';
import type { Services } from './ports.ts';
import { type Proof, prove } from './proof.ts';
import {
  endPoolSessions,
  type PoolSessionsEnded,
  refuseUnlessCurrent,
  type Session,
  sessionAfterChange,
} from './session.ts';

export type Disabled = {
  /** Whether another authenticator is still in force. */
  enabled: boolean;
} & Partial<Session> &
  PoolSessionsEnded;

/**
 * Removes one authenticator, or all of them with the backup codes; the last one by its id is all. Wants a code, never a
 * session alone, and ends every other session.
 *
 * @throws CountersignError `token_invalid`, `not_enrolled`, `authenticator_not_found`, `factor_stopped` if it would be
 * the last one, and what `attempt` throws
 */
export async function disable(
  services: Services,
  input: { caller: Caller; proof: Proof; authenticatorId: string | undefined; client: string; now: number },
): Promise<Disabled> {
  const { caller, proof, authenticatorId, client, now } = input;
  const { user } = caller;
  const factor = await services.records.read(user);
  refuseUnlessCurrent(caller, factor);
  if (!isEnabled(factor)) throw new CountersignError('not_enrolled');
  if (authenticatorId !== undefined && !factor.authenticators.some(({ id }) => id === authenticatorId)) {
    throw new CountersignError('authenticator_not_found');
  }
  if (isStopped(factor, now, services.settings.limits) && !isEnabled(without(factor, authenticatorId))) {
    throw new CountersignError('factor_stopped', REPLACE_FIRST);
  }
  const judge = async () => {
    const proven = await prove(services, user, factor, proof, now);
    return proven && changed(without(proven, authenticatorId), now, caller.session);
  };
  await services.tokens.ready(now);
  const left = await attempt(services, user, factor, budgetOf(proof), judge, 'disabled', now);
  return {
    enabled: isEnabled(left),
    ...(await endPoolSessions(services.poolSessions, user)),
    ...(await sessionAfterChange(services, caller, left, client, withSecondFactor(caller.amr), now)),
  };
}

/** Whoever drove the factor into the stop has the password, and would enroll first. */
const REPLACE_FIRST = 'Enroll another authenticator first, with a backup code, or ask support.';

/**
 * The factor without one authenticator, or without any. The item itself stays: its generation keeps older sessions void.
 *
 * With the last authenticator that was guessed at the failures go too, and a stop: there is nothing left to guess. One that
 * was enrolled after the stop was never guessed at.
 */
export function without(factor: Factor, authenticatorId: string | undefined): Factor {
  const authenticators =
    authenticatorId === undefined ? [] : factor.authenticators.filter(({ id }) => id !== authenticatorId);
  if (authenticators.length === 0)
    return withoutAnyFailure({ ...factor, authenticators, backupCodes: undefined });
  const { stoppedAt } = factor;
  const untouched = stoppedAt !== undefined && authenticators.every(({ createdAt }) => createdAt > stoppedAt);
  return untouched ? withoutAnyFailure({ ...factor, authenticators }) : { ...factor, authenticators };
}
