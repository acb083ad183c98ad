import type { PostConfirmationTriggerEvent } from 'aws-lambda';
import { dynamoDb } from '../../adapters/aws.ts';
import { trigger, userOf } from '../../adapters/cognito-trigger.ts';
import { readEnvironment } from '../../adapters/environment.ts';
import { createPoolSessions } from '../../adapters/pool-sessions.ts';
import { createRecords } from '../../adapters/records.ts';
import { adminRevokeSessions } from '../../core/admin.ts';
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
      const services = { records, poolSessions: poolSessions?.(event.userPoolId) };
      await onceMore(() => adminRevokeSessions(services, user, now));
    }
    return {};
  },
);

/** The new password is set by now and nobody asks for this again: what was written beside it must not keep sessions alive. */
async function onceMore(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    await work();
  }
}
