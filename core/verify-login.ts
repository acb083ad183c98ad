import { answerChallenge } from './challenge.ts';
import { withSecondFactor } from './claims.ts';
import { CountersignError } from './error.ts';
import { byUser } from './events.ts';
import { backupCodesRemaining } from './factor.ts';
import type { Services } from './ports.ts';
import { type Method, methodOf, type Proof } from './proof.ts';
import { openSession, type Session } from './session.ts';

export interface VerifyLoginAnswer extends Session {
  status: 'authenticated';
  method: Method;
  /** After a backup code. */
  backupCodesRemaining?: number;
  /** After a ticket: this session can do nothing but enroll. */
  enrollmentRequired?: true;
}

/**
 * The second step of signing in: a challenge, answered once, by a code or a backup code, or by a ticket after a reset.
 *
 * @throws CountersignError `challenge_invalid`, `invalid_request`, and what `attempt` throws
 */
export async function verifyLogin(
  services: Services,
  input: { challengeToken: string; proof: Proof; client: string; now: number },
): Promise<VerifyLoginAnswer> {
  const { proof, client, now } = input;
  const challenge = await services.tokens.verify('challenge', input.challengeToken, now);
  if (!challenge || challenge.client_id !== client) throw new CountersignError('challenge_invalid');

  await services.tokens.ready(now);
  const { jti: id, gen: generation, exp: expiresAt } = challenge;
  const user = { realm: challenge.realm, sub: challenge.sub };
  const { next } = await answerChallenge(
    services,
    { user, id, generation, expiresAt, via: 'api' },
    () => proof,
    byUser(client, now),
  );
  const method = methodOf(proof);
  const byTicket = method === 'enrollment_ticket';

  const session = await openSession(
    services,
    {
      user,
      username: challenge.username,
      client,
      generation: next.generation,
      authTime: now,
      // Support's ticket is no second factor: it only lets its holder enroll one.
      amr: byTicket ? challenge.amr : withSecondFactor(challenge.amr),
      enrollmentRequired: byTicket,
    },
    now,
  );
  return {
    status: 'authenticated',
    ...session,
    method,
    ...(method === 'backup_code' && { backupCodesRemaining: backupCodesRemaining(next) }),
    ...(byTicket && { enrollmentRequired: true }),
  };
}
