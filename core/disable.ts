import { attemptProof } from './attempt.ts';
import { type AfterChange, change } from './change.ts';
import type { Caller } from './claims.ts';
import { CountersignError } from './error.ts';
import { isEnabled } from './factor.ts';
import { isStopped } from './limits.ts';
import type { Services } from './ports.ts';
import type { Proof } from './proof.ts';
import { readEnrolled } from './session.ts';
import { authenticatorRemoved } from './transitions.ts';

export type Disabled = {
  /** Whether another authenticator is still in force. */
  enabled: boolean;
} & AfterChange;

/** Whoever drove the factor into the stop has the password, and would enroll first. */
const REPLACE_FIRST = 'Enroll another authenticator first, with a backup code, or ask support.';

/**
 * Removes one authenticator, or all of them with the backup codes; the last one by its id is all. Requires a code or a backup
 * code, never a session alone, and ends every other session.
 *
 * @throws CountersignError `token_invalid`, `not_enrolled`, `authenticator_not_found`, `factor_stopped` if it would be
 * the last one, and what `attempt` throws
 */
export async function disable(
  services: Services,
  input: { caller: Caller; proof: Proof; authenticatorId: string | undefined; client: string; now: number },
): Promise<Disabled> {
  const { caller, proof, authenticatorId, now } = input;
  const factor = await readEnrolled(services, caller);
  const others = factor.authenticators.filter(({ id }) => id !== authenticatorId);
  if (authenticatorId !== undefined && others.length === factor.authenticators.length) {
    throw new CountersignError('authenticator_not_found');
  }
  const last = authenticatorId === undefined || others.length === 0;
  if (last && isStopped(factor, now, services.settings.limits)) {
    throw new CountersignError('factor_stopped', REPLACE_FIRST);
  }
  const { next, after } = await change(services, input, (context) =>
    attemptProof(
      services,
      caller.user,
      factor,
      { attempted: 'removal', proof },
      (proven) => authenticatorRemoved(proven, { authenticatorId, session: caller.session }, context),
      context,
    ),
  );
  return { enabled: isEnabled(next), ...after };
}
