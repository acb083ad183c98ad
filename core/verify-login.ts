import { attempt } from './attempt.ts';
import { withSecondFactor } from './claims.ts';
import { CountersignError } from './error.ts';
import { backupCodesRemaining } from './factor.ts';
import type { Services } from './ports.ts';
import { type Method, methodOf, type Proof, prove } from './proof.ts';
import { openSession, type Session } from './session.ts';

export interface VerifyLoginAnswer extends Session {
  status: 'authenticated';
  method: Method;
  /** After a backup code. */
  backupCodesRemaining?: number;
}

/**
 * The second step of signing in: a challenge, answered once, by a code or a backup code.
 *
 * @throws CountersignError `challenge_invalid`, and what `attempt` throws
 */
export async function verifyLogin(
  services: Services,
  input: { challengeToken: string; proof: Proof; client: string; now: number },
): Promise<VerifyLoginAnswer> {
  const { proof, client, now } = input;
  const challenge = await services.tokens.verify('challenge', input.challengeToken, now);
  if (!challenge || challenge.client_id !== client) throw new CountersignError('challenge_invalid');

  const user = { realm: challenge.realm, sub: challenge.sub };
  const factor = await services.records.read(user);
  // A challenge from before a change of the factor, or one that was answered already.
  if (challenge.gen !== factor.generation || Object.hasOwn(factor.answered, challenge.jti)) {
    throw new CountersignError('challenge_invalid');
  }

  const judge = async () => {
    const proven = await prove(services, user, factor, proof, now);
    return proven && { ...proven, answered: { ...proven.answered, [challenge.jti]: challenge.exp } };
  };
  await services.tokens.ready(now);
  const accepted = await attempt(services, user, factor, judge, 'accepted', now);

  const session = await openSession(
    services,
    {
      user,
      username: challenge.username,
      client,
      generation: accepted.generation,
      authTime: now,
      amr: withSecondFactor(challenge.amr),
    },
    now,
  );
  const method = methodOf(proof);
  return {
    status: 'authenticated',
    ...session,
    method,
    ...(method === 'backup_code' && { backupCodesRemaining: backupCodesRemaining(accepted) }),
  };
}
