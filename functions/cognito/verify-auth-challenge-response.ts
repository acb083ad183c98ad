import type { VerifyAuthChallengeResponseTriggerEvent } from 'aws-lambda';
import { trigger, userOf } from '../../adapters/cognito-trigger.ts';
import { readEnvironment } from '../../adapters/environment.ts';
import { createProving } from '../../adapters/services.ts';
import { verifyAnswer } from '../../core/custom-auth.ts';

const environment = readEnvironment('TABLE_NAME', 'KEYRING_KEY_ARN', 'KEYRING_STACK', 'SETTINGS');
const services = createProving(environment);

/** Cognito's VerifyAuthChallengeResponse: a code or a backup code, over the same record as everywhere. */
export const handler = trigger<VerifyAuthChallengeResponseTriggerEvent>(
  'cognito/verify-auth-challenge-response',
  { answerCorrect: false },
  async (event, now) => {
    const user = userOf(event, services.settings.realm);
    const { challengeAnswer: answer, privateChallengeParameters: hidden } = event.request;
    // For the event alone: a sign-in does not fail for the want of it.
    const client = event.callerContext?.clientId;
    await verifyAnswer(services, { user, answer, hidden: hidden ?? {}, client, now });
    return { answerCorrect: true };
  },
);
