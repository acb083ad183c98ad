import { attempt } from './attempt.ts';
import { type Caller, withSecondFactor } from './claims.ts';
import { CountersignError } from './error.ts';
import { isEnabled } from './factor.ts';
import { budgetOf } from './limits.ts';
import type { Services } from './ports.ts';
import { type Method, methodOf, type Proof, prove } from './proof.ts';
import { type AccessToken, issueAccessToken, refuseUnlessCurrent } from './session.ts';

export interface StepUp extends Omit<AccessToken, 'tokenType'> {
  verified: true;
  method: Method;
}

/**
 * Step-up: somebody signed in proves the second factor now, for an access token that says so (`auth_time`, `amr`, `acr`).
 *
 * @throws CountersignError `token_invalid`, `not_enrolled`, and what `attempt` throws
 */
export async function verify(
  services: Services,
  { caller, proof, client, now }: { caller: Caller; proof: Proof; client: string; now: number },
): Promise<StepUp> {
  const { user } = caller;
  const factor = await services.records.read(user);
  refuseUnlessCurrent(caller, factor);
  if (!isEnabled(factor)) throw new CountersignError('not_enrolled');
  await services.tokens.ready(now);
  const accepted = await attempt(
    services,
    user,
    factor,
    budgetOf(proof),
    () => prove(services, user, factor, proof, now),
    'accepted',
    now,
  );
  const grounds = {
    user,
    username: caller.account,
    client,
    generation: accepted.generation,
    authTime: now,
    amr: withSecondFactor(caller.amr),
    sid: caller.sid,
    session: caller.session,
  };
  const { accessToken, expiresIn } = await issueAccessToken(services, grounds, now);
  return { verified: true, method: methodOf(proof), accessToken, expiresIn };
}
