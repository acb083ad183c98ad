import { attempt, changed } from './attempt.ts';
import { type Caller, withSecondFactor } from './claims.ts';
import { CountersignError } from './error.ts';
import { type Factor, isEnabled } from './factor.ts';
import { budgetOf, withoutAnyFailure } from './limits.ts';
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
 * @throws CountersignError `token_invalid`, `totp_not_enabled`, `authenticator_not_found`, and what `attempt` throws
 */
export async function disable(
  services: Services,
  input: { caller: Caller; proof: Proof; authenticatorId: string | undefined; client: string; now: number },
): Promise<Disabled> {
  const { caller, proof, authenticatorId, client, now } = input;
  const { user } = caller;
  const factor = await services.records.read(user);
  refuseUnlessCurrent(caller, factor);
  if (!isEnabled(factor)) throw new CountersignError('totp_not_enabled');
  if (authenticatorId !== undefined && !factor.authenticators.some(({ id }) => id === authenticatorId)) {
    throw new CountersignError('authenticator_not_found');
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

/**
 * The item itself stays: its generation keeps older sessions void. With the last authenticator the failures go too, a stop
 * included: there is nothing left to guess, and a new authenticator has a new secret.
 */
export function without(factor: Factor, authenticatorId: string | undefined): Factor {
  const authenticators =
    authenticatorId === undefined ? [] : factor.authenticators.filter(({ id }) => id !== authenticatorId);
  return authenticators.length > 0
    ? { ...factor, authenticators }
    : withoutAnyFailure({ ...factor, authenticators, backupCodes: undefined });
}
