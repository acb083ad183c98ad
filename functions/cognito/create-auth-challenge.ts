import type { CreateAuthChallengeTriggerEvent } from 'aws-lambda';
import { dynamoDb } from '../../adapters/aws.ts';
import { trigger, userOf } from '../../adapters/cognito-trigger.ts';
import { readEnvironment } from '../../adapters/environment.ts';
import { createRecords } from '../../adapters/records.ts';
import { createChallenge } from '../../core/custom-auth.ts';

const { TABLE_NAME, SETTINGS } = readEnvironment('TABLE_NAME', 'SETTINGS');
const records = createRecords(dynamoDb(), TABLE_NAME);

/** A challenge that nobody can answer, because verify-auth-challenge-response requires the hidden parameters. */
const unanswerable = {
  publicChallengeParameters: {},
  privateChallengeParameters: {},
  challengeMetadata: 'SECOND_FACTOR',
};

/** Cognito's CreateAuthChallenge: says how the second factor may be proved, and hides what the answer is held against. */
export const handler = trigger<CreateAuthChallengeTriggerEvent>(
  'cognito/create-auth-challenge',
  unanswerable,
  async (event) => {
    const user = userOf(event, SETTINGS.realm);
    const challenge = await createChallenge({ records }, user, event.request.session);
    if (!challenge) return unanswerable;
    return {
      publicChallengeParameters: { methods: challenge.methods },
      privateChallengeParameters: { ...challenge.hidden },
      challengeMetadata: 'SECOND_FACTOR',
    };
  },
);
