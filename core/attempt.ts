import { commit, type LostRace } from './commit.ts';
import { CountersignError } from './error.ts';
import type { Attempted, EventContext } from './events.ts';
import type { Factor } from './factor.ts';
import { type Budget, budgetOf, refuseUnlessOpen } from './limits.ts';
import type { Keyring, Records } from './ports.ts';
import { type Method, methodOf, type Proof, type Proven } from './proof.ts';
import { prove } from './prove.ts';
import type { Settings } from './settings.ts';
import type { Transition } from './transition.ts';
import { refused } from './transitions.ts';
import type { User } from './user.ts';

export interface Attempt {
  attempted: Attempted;
  method: Method;
  /** The budget that a failure is counted against. Only `code` locks and stops. */
  budget: Budget;
  /** Returns the transition of a proof that is right and unused, undefined if it is not. */
  decide(): Promise<Transition | undefined>;
}

/**
 * Checks one proof, commits the result in one conditional write, then answers. **The answer follows the write, never the
 * comparison**: a right code whose write is refused learns nothing. Accepting and refusing cost the same write. Of
 * concurrent attempts, at most one counts.
 *
 * @returns the transition as written
 * @throws CountersignError `code_rejected`, `too_many_attempts`, `factor_stopped`, `temporarily_unavailable`
 */
export async function attempt(
  { records, settings }: { records: Records; settings: Settings },
  user: User,
  read: Factor,
  { decide, ...attempted }: Attempt,
  context: EventContext,
): Promise<Transition> {
  const { budget } = attempted;
  refuseUnlessOpen(read, budget, context.at, settings.limits);
  const accepted = await decide();
  const decision = accepted ?? refused(read, attempted, settings.limits, context);
  if (!decision) throw new CountersignError('code_rejected');
  // Another attempt was written first. Nothing is compared again: what is stored now is the answer.
  const refuse: LostRace = (stored) => {
    refuseUnlessOpen(stored, budget, context.at, settings.limits);
    throw new CountersignError('code_rejected');
  };
  const written = await commit({ records }, user, read, () => decision, refuse);
  if (!accepted) throw new CountersignError('code_rejected');
  return written;
}

/**
 * An attempt with a code, a backup code or a ticket.
 *
 * @param accept the transition that follows the right proof
 */
export function attemptProof(
  services: { records: Records; keyring: Keyring; settings: Settings },
  user: User,
  read: Factor,
  { attempted, proof }: { attempted: Attempted; proof: Proof },
  accept: (proven: Proven) => Transition,
  context: EventContext,
): Promise<Transition> {
  const decide = async () => {
    const proven = await prove(services, user, read, proof, context.at);
    return proven && accept(proven);
  };
  const method = methodOf(proof);
  return attempt(services, user, read, { attempted, method, budget: budgetOf(proof), decide }, context);
}
