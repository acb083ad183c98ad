import { timingSafeEqual } from 'node:crypto';
import { incorrect, invalidParameter } from '../errors.ts';
import { attempt as attemptWith } from '../password.ts';
import { expectedSignature } from '../srp.ts';
import { type Answer, type Attempt, isConfirmed, mayTry, parameter, subjectOf } from './attempt.ts';
import { afterPassword } from './first-factor.ts';
import { sessionInSecretBlock } from './srp-challenge.ts';

/** `ddd MMM d HH:mm:ss UTC yyyy`, the day without a leading zero. */
const timestampForm =
  /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{1,2} \d\d:\d\d:\d\d UTC \d{4}$/;

/** Answers PASSWORD_VERIFIER with the client's proof of the password. A wrong one ends the session. */
export async function answerPasswordVerifier(
  attempt: Attempt,
  sessionId: string | undefined,
): Promise<Answer> {
  const secretBlock = parameter(attempt, 'PASSWORD_CLAIM_SECRET_BLOCK');
  const signature = Buffer.from(parameter(attempt, 'PASSWORD_CLAIM_SIGNATURE'), 'base64');
  const timestamp = parameter(attempt, 'TIMESTAMP');
  if (!timestampForm.test(timestamp)) {
    throw invalidParameter('TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english');
  }
  const { pool, client } = attempt;
  const id = sessionId ?? sessionInSecretBlock(secretBlock);
  const session = pool.sessions.take(id, client.id, 'PASSWORD_VERIFIER');
  const { step } = session;
  if (step.challenge !== 'PASSWORD_VERIFIER' || step.secretBlock !== secretBlock) throw incorrect();
  const { user, username } = subjectOf(attempt, session);
  const expected = expectedSignature(step.srp, step.verifier, {
    poolName: pool.shortName,
    username,
    secretBlock,
    timestamp,
  });
  if (!user) throw incorrect();
  mayTry(user);
  // A password changed in the meantime makes the old one wrong.
  const proved = () =>
    user.password?.verifier === step.verifier &&
    signature.length === expected.length &&
    timingSafeEqual(signature, expected);
  if (!attemptWith(pool, user, proved)) throw incorrect();
  isConfirmed(user);
  return afterPassword(attempt, user, step.custom);
}
