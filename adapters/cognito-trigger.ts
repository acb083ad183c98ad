import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import type { User } from '../core/user.ts';
import { secondsNow } from './clock.ts';
import { within } from './deadline.ts';
import { defectOf, writeLog } from './log.ts';

/** What every trigger event of a user pool has (Cognito developer guide, "Lambda triggers"). */
interface TriggerEvent {
  request: { userAttributes?: Record<string, string>; userNotFound?: boolean | undefined };
  response: object;
}

/**
 * Cognito gives a trigger up after 5 seconds and calls it again, and shows an exception to the client. So a trigger answers
 * in time, and a fault is an answer: the refusal.
 */
const EARLY = 400;

/**
 * A Cognito trigger.
 *
 * @param refusal the response where anything fails or takes too long; `rethrow` for triggers that can refuse by an
 * exception only
 */
export function trigger<E extends TriggerEvent>(
  operation: string,
  refusal: E['response'] | 'rethrow',
  run: (event: E, now: number) => Promise<E['response']>,
) {
  const answer = (event: E, response: object) => ({ ...event, response: { ...event.response, ...response } });
  return middy<E, E, Error, Context>({
    timeoutEarlyInMillis: EARLY,
    timeoutEarlyResponse: () => {
      throw new Error('This took too long: try again.');
    },
  })
    .use({
      onError(request) {
        const { error, event, context } = request;
        writeLog({ level: 'error', invocationId: context.awsRequestId, operation, ...defectOf(error) });
        if (refusal !== 'rethrow') request.response = answer(event, refusal);
      },
    })
    .handler(async (event, context): Promise<E> => {
      const left = () => context.getRemainingTimeInMillis() - EARLY;
      return answer(event, await within(left, () => run(event, secondsNow())));
    });
}

/** Who signs in: by `sub`, which never changes, not by the name they type. Undefined for nobody. */
export function userOf({ request }: TriggerEvent, realm: string): User | undefined {
  const sub = request.userAttributes?.['sub'];
  return sub && !request.userNotFound ? { realm, sub } : undefined;
}
