import { randomInt } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient, type KMSClientConfig } from '@aws-sdk/client-kms';
import { unavailable } from '../core/error.ts';
import { timeLeft } from './deadline.ts';

/**
 * How long a dependency may take: an answer has to begin within `milliseconds`, and go on. What fails by no fault of the
 * request is tried once more. With the SDK's own settings one throttled call takes 5 s, and a hanging one never ends.
 */
export function patienceOf(milliseconds: number) {
  return {
    maxAttempts: 2,
    retryStrategy: onceMore(milliseconds),
    requestHandler: {
      connectionTimeout: 400,
      // By itself it only warns.
      requestTimeout: milliseconds,
      throwOnRequestTimeout: true,
      // An answer that stops in the middle.
      socketTimeout: milliseconds,
    },
  };
}

/** With somebody waiting. Both services answer within tens of milliseconds. */
export const patience = patienceOf(600);

/** With nobody waiting, and keys to make, which takes its time; attempts and the waits between are the SDK's own. */
export const unhurried = { requestHandler: patienceOf(5000).requestHandler };

export function dynamoDb(how: typeof patience | typeof unhurried = patience): DynamoDBClient {
  return new DynamoDBClient(how);
}

export function kms(how: typeof patience | typeof unhurried = patience): KMSClient {
  return new KMSClient(how);
}

type RetryStrategy = Extract<
  NonNullable<KMSClientConfig['retryStrategy']>,
  { refreshRetryTokenForRetry: unknown }
>;

/** Waits before the second attempt, at most, in milliseconds: the SDK waits up to 1000 where it is throttled. */
const WAITS = { THROTTLING: 100, TRANSIENT: 50 };

/** One more attempt; none, the first included, that could not end within the invocation (see deadline.ts). */
function onceMore(milliseconds: number): RetryStrategy {
  const attempt = (count: number, delay: number) => {
    if (timeLeft() < delay + milliseconds) throw unavailable();
    return { getRetryCount: () => count, getRetryDelay: () => delay };
  };
  return {
    acquireInitialRetryToken: async () => attempt(0, 0),
    async refreshRetryTokenForRetry(last, { errorType }) {
      const mayPass = errorType === 'THROTTLING' || errorType === 'TRANSIENT';
      if (!mayPass || last.getRetryCount() > 0) throw unavailable();
      return attempt(1, randomInt(WAITS[errorType]));
    },
    recordSuccess() {},
  };
}
