import { AwsError } from '../../aws-error.ts';
import { incorrect, invalidParameter } from '../errors.ts';
import type { ChallengeResult } from '../sessions.ts';
import { acceptCode } from '../software-token.ts';
import { type Answer, type Attempt, mayTry, parameter, type Subject, subjectOf } from './attempt.ts';
import { advance } from './custom.ts';
import { issue } from './issue.ts';

/** Answers SOFTWARE_TOKEN_MFA, the pool's own second factor. A wrong code leaves the session open for another. */
export async function answerSoftwareToken(attempt: Attempt, sessionId: string): Promise<Answer> {
  const { pool, client } = attempt;
  parameter(attempt, 'USERNAME');
  const code = parameter(attempt, 'SOFTWARE_TOKEN_MFA_CODE');
  const session = pool.sessions.take(sessionId, client.id, 'SOFTWARE_TOKEN_MFA');
  const { user, username } = subjectOf(attempt, session);
  if (!user || session.step.challenge !== 'SOFTWARE_TOKEN_MFA') throw incorrect();
  mayTry(user);
  if (!acceptCode(user, code, pool.clock.seconds())) {
    pool.sessions.putBack(session);
    throw new AwsError('CodeMismatchException', 'Invalid code received for user');
  }
  pool.users.save(user);
  return afterMfa(attempt, { user, username }, session.step.custom);
}

/** Answers MFA_SETUP, after AssociateSoftwareToken and VerifySoftwareToken have set an app up in this sign-in. */
export async function answerMfaSetup(attempt: Attempt, sessionId: string): Promise<Answer> {
  parameter(attempt, 'USERNAME');
  const session = attempt.pool.sessions.take(sessionId, attempt.client.id, 'MFA_SETUP');
  const { user, username } = subjectOf(attempt, session);
  if (!user || session.step.challenge !== 'MFA_SETUP') throw incorrect();
  if (!session.step.verified) throw invalidParameter('Software token MFA has not been set up.');
  mayTry(user);
  return afterMfa(attempt, { user, username }, session.step.custom);
}

async function afterMfa(
  attempt: Attempt,
  subject: Required<Subject>,
  custom: ChallengeResult[] | undefined,
): Promise<Answer> {
  if (!custom) return issue(attempt, subject.user);
  return advance(attempt, subject, [
    ...custom,
    { challengeName: 'SOFTWARE_TOKEN_MFA', challengeResult: true, challengeMetadata: null },
  ]);
}
