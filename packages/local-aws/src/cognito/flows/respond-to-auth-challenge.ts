import { type Client, checkSecretHash } from '../client.ts';
import { invalidParameter } from '../errors.ts';
import { type Input, optional, required, strings } from '../input.ts';
import type { Pool } from '../pool.ts';
import type { Answer, Attempt } from './attempt.ts';
import { answerCustom } from './custom.ts';
import { answerNewPassword } from './new-password.ts';
import { answerPasswordVerifier } from './password-verifier.ts';

const answers = new Map<string, (attempt: Attempt, session: string) => Promise<Answer>>([
  ['CUSTOM_CHALLENGE', answerCustom],
  ['NEW_PASSWORD_REQUIRED', answerNewPassword],
]);

/** Runs RespondToAuthChallenge and its Admin form. PASSWORD_VERIFIER may be answered without its session. */
export async function respondToAuthChallenge(pool: Pool, client: Client, input: Input): Promise<Answer> {
  const challenge = required(input, 'ChallengeName');
  const parameters = strings(input, 'ChallengeResponses') ?? {};
  const metadata = strings(input, 'ClientMetadata');
  const attempt: Attempt = { pool, client, parameters, ...(metadata ? { metadata } : {}) };
  const session = optional(input, 'Session');
  const username = parameters['USERNAME'] ?? '';
  const user = pool.users.find(username);
  checkSecretHash(client, parameters['SECRET_HASH'], [username, ...(user ? [user.username, user.sub] : [])]);
  if (challenge === 'PASSWORD_VERIFIER') return answerPasswordVerifier(attempt, session);
  const answer = answers.get(challenge);
  if (!answer) throw invalidParameter(`The challenge ${challenge} cannot be answered here.`);
  if (session === undefined) throw invalidParameter('Missing required parameter Session');
  return answer(attempt, session);
}
