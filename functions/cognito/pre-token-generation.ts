import type { PreTokenGenerationV2TriggerEvent } from 'aws-lambda';
import { dynamoDb } from '../../adapters/aws.ts';
import { trigger, userOf } from '../../adapters/cognito-trigger.ts';
import { readEnvironment } from '../../adapters/environment.ts';
import { createRecords } from '../../adapters/records.ts';
import { mustEnrollAtSignIn, refuseAfterNewPassword } from '../../core/enrollment-policy.ts';

const { TABLE_NAME, SETTINGS: settings } = readEnvironment('TABLE_NAME', 'SETTINGS');
const records = createRecords(dynamoDb(), TABLE_NAME);

/**
 * Cognito's PreTokenGeneration (V2): says in the tokens that their user has to enroll first, and refuses the one way to
 * tokens on which no custom challenge is asked: a new password chosen in place of a temporary one.
 */
export const handler = trigger<PreTokenGenerationV2TriggerEvent>(
  'cognito/pre-token-generation',
  'rethrow',
  async (event, now) => {
    const user = userOf(event, settings.realm);
    if (!user) return event.response;
    const factor = await records.read(user);
    if (event.triggerSource === 'TokenGeneration_NewPasswordChallenge') refuseAfterNewPassword(factor);
    if (!(await mustEnrollAtSignIn({ records, settings }, user, factor, now))) return event.response;
    const claims = { claimsToAddOrOverride: { enrollment_required: 'true' } };
    return {
      claimsAndScopeOverrideDetails: { accessTokenGeneration: claims, idTokenGeneration: claims },
    };
  },
);
