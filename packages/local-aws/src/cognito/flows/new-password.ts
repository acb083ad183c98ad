import { checkWritable } from '../client.ts';
import { incorrect } from '../errors.ts';
import { checkPolicy, setPassword } from '../password.ts';
import { type Answer, type Attempt, mayTry, parameter, subjectOf } from './attempt.ts';
import { ownMfa } from './first-factor.ts';
import { issue } from './issue.ts';

const prefix = 'userAttributes.';

/**
 * Answers NEW_PASSWORD_REQUIRED. A password against the policy, or attributes that are refused, leave the session
 * open for another answer.
 */
export async function answerNewPassword(attempt: Attempt, sessionId: string): Promise<Answer> {
  const { pool, client } = attempt;
  parameter(attempt, 'USERNAME');
  const password = parameter(attempt, 'NEW_PASSWORD');
  const session = pool.sessions.take(sessionId, client.id, 'NEW_PASSWORD_REQUIRED');
  const { user } = subjectOf(attempt, session);
  if (user?.status !== 'FORCE_CHANGE_PASSWORD') throw incorrect();
  mayTry(user);
  const attributes = Object.fromEntries(
    Object.entries(attempt.parameters)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value]),
  );
  try {
    checkPolicy(pool.settings.password, password);
    checkWritable(client, attributes);
    pool.users.setAttributes(user, attributes);
  } catch (error) {
    pool.sessions.putBack(session);
    throw error;
  }
  setPassword(pool, user, password, false);
  pool.users.save(user);
  return ownMfa(attempt, user) ?? issue(attempt, user, 'NewPasswordChallenge');
}
