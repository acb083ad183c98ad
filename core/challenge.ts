import { attemptProof } from './attempt.ts';
import { refuseUnlessAskedFor } from './enrollment-policy.ts';
import { CountersignError } from './error.ts';
import type { EventContext } from './events.ts';
import type { Factor } from './factor.ts';
import type { Services } from './ports.ts';
import type { Proof } from './proof.ts';
import type { Transition } from './transition.ts';
import { loginSucceeded } from './transitions.ts';
import type { User } from './user.ts';

/** A challenge that followed the right password. */
export interface LoginChallenge {
  user: User;
  id: string;
  /** The factor's generation when the challenge was made. */
  generation: string;
  /** Seconds since the epoch. Until then the record remembers that it was answered. */
  expiresAt: number;
  via: 'api' | 'cognito';
}

/**
 * Answers a challenge, once: no change of the factor has come since, and no answer to it was accepted.
 *
 * @param proofFor the proof, for what the record asks for
 * @throws CountersignError `challenge_invalid`, `invalid_request`, and what `attempt` throws
 */
export async function answerChallenge(
  services: Omit<Services, 'tokens'>,
  challenge: LoginChallenge,
  proofFor: (factor: Factor) => Proof,
  context: EventContext,
): Promise<Transition> {
  const { user, id, generation } = challenge;
  const factor = await services.records.read(user);
  if (generation !== factor.generation || Object.hasOwn(factor.answered, id)) {
    throw new CountersignError('challenge_invalid');
  }
  const proof = proofFor(factor);
  refuseUnlessAskedFor(factor, proof);
  return attemptProof(
    services,
    user,
    factor,
    { attempted: 'login', proof },
    (proven) => loginSucceeded(proven, challenge, context),
    context,
  );
}
