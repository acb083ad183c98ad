import type { PreTokenGenerationV2TriggerEvent } from 'aws-lambda';
import { dynamoDb } from '../../adapters/aws.ts';
import { trigger, userOf } from '../../adapters/cognito-trigger.ts';
import { readEnvironment } from '../../adapters/environment.ts';
import { createRecords } from '../../adapters/records.ts';
import { enrollmentRequired, refuseAfterNewPassword } from '../../core/enrollment-policy.ts';

const { TABLE_NAME, SETTINGS: settings } = readEnvironment('TABLE_NAME', 'SETTINGS');
const records = createRecords(dynamoDb(), TABLE_NAME);

/**
 * Cognito's PreTokenGeneration (V2): says in the tokens that their user has to enrol first, and refuses the one way to
 * tokens on which no custom challenge is asked: a new password chosen in place of a temporary one.
 */
export const handler = trigger<PreTokenGenerationV2TriggerEvent>(
  'cognito/pre-token-generation',
  'rethrow',
  async (event, now) => {
    const user = userOf(event, settings.realm);
    if (!user) return event.response;
    if (event.triggerSource === 'TokenGeneration_NewPasswordChallenge') {
      await refuseAfterNewPassword({ records }, user);
    }
    if (!(await enrollmentRequired({ records, settings }, user, now))) return event.response;
    const claims = { claimsToAddOrOverride: { enrolment_required: 'true' } };
    return {
      claimsAndScopeOverrideDetails: { accessTokenGeneration: claims, idTokenGeneration: claims },
    };
  },
);
