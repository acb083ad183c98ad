import { attemptProof } from './attempt.ts';
import { type Caller, withSecondFactor } from './claims.ts';
import { byUser } from './events.ts';
import type { Services } from './ports.ts';
import { type Method, methodOf, type Proof } from './proof.ts';
import { type AccessToken, issueAccessToken, readEnrolled } from './session.ts';
import { stepUpSucceeded } from './transitions.ts';

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
  const factor = await readEnrolled(services, caller);
  await services.tokens.ready(now);
  const context = byUser(client, now);
  const { next } = await attemptProof(
    services,
    user,
    factor,
    { attempted: 'step_up', proof },
    (proven) => stepUpSucceeded(proven, context),
    context,
  );
  const input = {
    user,
    username: caller.account,
    client,
    generation: next.generation,
    authTime: now,
    amr: withSecondFactor(caller.amr),
    sid: caller.sid,
    session: caller.session,
  };
  const { accessToken, expiresIn } = await issueAccessToken(services, input, now);
  return { verified: true, method: methodOf(proof), accessToken, expiresIn };
}
