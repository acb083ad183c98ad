import type { PostConfirmationTriggerEvent } from 'aws-lambda';
import { dynamoDb } from '../../adapters/aws.ts';
import { trigger, userOf } from '../../adapters/cognito-trigger.ts';
import { readEnvironment } from '../../adapters/environment.ts';
import { createPoolSessions } from '../../adapters/pool-sessions.ts';
import { createRecords } from '../../adapters/records.ts';
import { revokeSessions } from '../../core/admin.ts';
import { CountersignError } from '../../core/error.ts';

const { TABLE_NAME, SETTINGS } = readEnvironment('TABLE_NAME', 'SETTINGS');
const records = createRecords(dynamoDb(), TABLE_NAME);
const poolSessions = createPoolSessions({ SETTINGS, TABLE_NAME });

/** Cognito's PostConfirmation: a password that was reset ends the user's sessions here. The second factor stays. */
export const handler = trigger<PostConfirmationTriggerEvent>(
  'cognito/post-confirmation',
  'rethrow',
  async (event, now) => {
    const user = userOf(event, SETTINGS.realm);
    if (user && event.triggerSource === 'PostConfirmation_ConfirmForgotPassword') {
      await onceMore(() => revokeSessions(records, user, { passwordSetAt: now }, now));
      await poolSessions?.(event.userPoolId).end(user);
    }
    return {};
  },
  (event) => ({
    realm: SETTINGS.realm,
    user: userOf(event, SETTINGS.realm)?.sub,
    clientId: event.callerContext.clientId,
  }),
);

/** The new password is set by now and nobody asks for this again: a dependency that fails is asked once more. */
async function onceMore(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    await work();
  }
}
