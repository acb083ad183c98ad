import { CountersignError } from './error.ts';
import type { Factor } from './factor.ts';
import type { Records } from './ports.ts';
import type { Transition } from './transition.ts';
import type { User } from './user.ts';

/**
 * Called if another write came between the read and ours. It throws, or returns to decide again on what is stored now.
 *
 * @param races lost so far, this one included
 */
export type LostRace = (stored: Factor, races: number) => void;

/** Gives up: the caller repeats the whole operation. */
export const conflict: LostRace = () => {
  throw new CountersignError('conflict');
};

/** Lost races until a write gives up. */
const MOST_LOST_RACES = 20;

/** Decides again, so a user cannot block revocation by writing continuously. */
export const retry: LostRace = (_stored, races) => {
  if (races > MOST_LOST_RACES) throw new CountersignError('conflict');
};

/**
 * Decides on a factor, stores the decision in one conditional write and returns it. It returns after the write and never
 * before it, so what is answered has happened.
 *
 * @param read the factor as it was read
 * @param decide called again with what is stored if `lostRace` returns
 * @throws CountersignError `temporarily_unavailable` if it is unknown whether the write happened; what `lostRace` throws
 */
export async function commit(
  { records }: { records: Records },
  user: User,
  read: Factor,
  decide: (stored: Factor) => Transition,
  lostRace: LostRace,
): Promise<Transition> {
  let stored = read;
  for (let races = 1; ; races++) {
    const decision = decide(stored);
    const next = recorded(decision);
    const outcome = await records.replace(user, stored, next);
    if (outcome.written) return { ...decision, next };
    lostRace(outcome.stored, races);
    stored = outcome.stored;
  }
}

/** The factor as it is stored: with what happened last, and without challenges that have expired. */
function recorded({ next, event }: Transition): Factor {
  const { type, at } = event;
  const answered = Object.entries(next.answered).filter(([, expiresAt]) => expiresAt > at);
  return {
    ...next,
    answered: Object.fromEntries(answered),
    event: { type, at, ...('method' in event && event.method !== undefined && { method: event.method }) },
  };
}
