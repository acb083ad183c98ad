import { randomInt } from 'node:crypto';
import { CognitoIdentityProviderClient } from '@aws-sdk/client-cognito-identity-provider';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient, type KMSClientConfig } from '@aws-sdk/client-kms';
import { unavailable } from '../core/error.ts';
import { outOfTime, timeLeft } from './deadline.ts';

/**
 * How long a dependency may take: an answer has to begin within `milliseconds`, and go on. What fails by no fault of the
 * request is tried once more. With the SDK's own settings one throttled call takes 5 s, and a hanging one never ends.
 */
export function timeoutsOf(milliseconds: number) {
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

/** For requests that somebody waits for. Both services answer within tens of milliseconds. */
export const requestTimeouts = timeoutsOf(600);

/** For background work. Making keys takes its time; attempts and the waits between are the SDK's own. */
export const backgroundTimeouts = { requestHandler: timeoutsOf(5000).requestHandler };

type Timeouts = typeof requestTimeouts | typeof backgroundTimeouts;

export function dynamoDb(timeouts: Timeouts = requestTimeouts): DynamoDBClient {
  return named(new DynamoDBClient(timeouts));
}

export function kms(timeouts: Timeouts = requestTimeouts): KMSClient {
  return named(new KMSClient(timeouts));
}

export function cognito(
  options: ReturnType<typeof timeoutsOf> & { userAgentAppId?: string } = requestTimeouts,
): CognitoIdentityProviderClient {
  return named(new CognitoIdentityProviderClient(options));
}

const calls = new WeakMap<object, string>();

/** Which call an error is of, as in `DynamoDBClient UpdateItemCommand`; undefined where it is none of the SDK's. */
export function callOf(error: object): string | undefined {
  return calls.get(error);
}

/** Remembers of each error which call it is of: the SDK's errors do not say. */
function named<C extends DynamoDBClient | KMSClient | CognitoIdentityProviderClient>(client: C): C {
  // The same stack in all of them, but for the types of what goes through it.
  const { middlewareStack } = client as DynamoDBClient;
  middlewareStack.add(
    (next, { clientName, commandName }) =>
      async (input) => {
        try {
          return await next(input);
        } catch (error) {
          if (error instanceof Error) calls.set(error, `${clientName} ${commandName}`);
          throw error;
        }
      },
    { step: 'initialize', priority: 'high' },
  );
  return client;
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
    if (timeLeft() < delay + milliseconds) throw outOfTime();
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
