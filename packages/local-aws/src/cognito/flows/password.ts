import { incorrect } from '../errors.ts';
import { attemptPassword } from '../password.ts';
import { makeVerifier } from '../srp.ts';
import {
  type Answer,
  type Attempt,
  isConfirmed,
  mayTry,
  parameter,
  preAuthentication,
  subjectNamed,
} from './attempt.ts';
import { afterPassword } from './first-factor.ts';

/** USER_PASSWORD_AUTH and ADMIN_USER_PASSWORD_AUTH: the password in plain, checked against its verifier. */
export async function startPassword(attempt: Attempt): Promise<Answer> {
  const name = parameter(attempt, 'USERNAME');
  const password = parameter(attempt, 'PASSWORD');
  const subject = subjectNamed(attempt, name);
  await preAuthentication(attempt, subject);
  const { user } = subject;
  if (!user) {
    // As long as a real check takes.
    makeVerifier(attempt.pool.shortName, subject.username, password);
    throw incorrect();
  }
  mayTry(user);
  if (!attemptPassword(attempt.pool, user, password)) throw incorrect();
  isConfirmed(user);
  return afterPassword(attempt, user);
}
