import type { PostConfirmationTriggerEvent } from 'aws-lambda';
import { dynamoDb } from '../../adapters/aws.ts';
import { trigger, userOf } from '../../adapters/cognito-trigger.ts';
import { readEnvironment } from '../../adapters/environment.ts';
import { createPoolSessions } from '../../adapters/pool-sessions.ts';
import { createRecords } from '../../adapters/records.ts';
import { adminRevokeSessions } from '../../core/admin.ts';

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
      await adminRevokeSessions({ records, poolSessions: poolSessions?.(event.userPoolId) }, user, now);
    }
    return {};
  },
);
