import type { DefineAuthChallengeTriggerEvent } from 'aws-lambda';
import { dynamoDb } from '../../adapters/aws.ts';
import { trigger, userOf } from '../../adapters/cognito-trigger.ts';
import { readEnvironment } from '../../adapters/environment.ts';
import { createRecords } from '../../adapters/records.ts';
import { defineNextStep } from '../../core/custom-auth.ts';

const { TABLE_NAME, SETTINGS } = readEnvironment('TABLE_NAME', 'SETTINGS');
const records = createRecords(dynamoDb(), TABLE_NAME);

/** Cognito's DefineAuthChallenge: the password, then the second factor where there is one, then tokens. */
export const handler = trigger<DefineAuthChallengeTriggerEvent>(
  'cognito/define-auth-challenge',
  { challengeName: '', issueTokens: false, failAuthentication: true },
  async (event) => {
    const next = await defineNextStep({ records }, userOf(event, SETTINGS.realm), event.request.session);
    return {
      challengeName: next === 'PASSWORD_VERIFIER' || next === 'CUSTOM_CHALLENGE' ? next : '',
      issueTokens: next === 'tokens',
      failAuthentication: next === 'refuse',
    };
  },
);
