import type { PostConfirmationTriggerEvent } from 'aws-lambda';
import { dynamoDb } from '../../adapters/aws.ts';
import { trigger, userOf } from '../../adapters/cognito-trigger.ts';
import { timeLeft } from '../../adapters/deadline.ts';
import { readEnvironment } from '../../adapters/environment.ts';
import { createPoolSessions } from '../../adapters/pool-sessions.ts';
import { createRecords } from '../../adapters/records.ts';
import { revokeSessions } from '../../core/admin.ts';
import { CountersignError } from '../../core/error.ts';

const { TABLE_NAME, SETTINGS } = readEnvironment('TABLE_NAME', 'SETTINGS');
const records = createRecords(dynamoDb(), TABLE_NAME);
const poolSessions = createPoolSessions(SETTINGS);

/** Cognito's PostConfirmation: a password that was reset ends the user's sessions here. The second factor stays. */
export const handler = trigger<PostConfirmationTriggerEvent>(
  'cognito/post-confirmation',
  'rethrow',
  async (event, now) => {
    const user = userOf(event, SETTINGS.realm);
    if (user && event.triggerSource === 'PostConfirmation_ConfirmForgotPassword') {
      await insistently(() => revokeSessions(records, user, now));
      await poolSessions?.(event.userPoolId).end(user);
    }
    return {};
  },
);

/**
 * The new password is set by now and nobody asks for this again. What is written beside it, as an old session can write
 * without end, must not keep sessions alive: it is outlasted. A dependency that fails is asked once more.
 */
async function insistently(work: () => Promise<void>): Promise<void> {
  for (let faults = 0; ; ) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof CountersignError) || timeLeft() <= 0) throw error;
      if (error.code !== 'conflict' && ++faults > 1) throw error;
    }
  }
}
