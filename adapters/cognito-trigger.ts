import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { CountersignError, type ErrorCode } from '../core/error.ts';
import type { User } from '../core/user.ts';
import { secondsNow } from './clock.ts';
import { outOfTime, within } from './deadline.ts';
import { logFault, writeLog } from './log.ts';

/** The fields of every trigger event of a user pool (Cognito developer guide, "Lambda triggers"). */
interface TriggerEvent {
  triggerSource: string;
  request: { userAttributes?: Record<string, string>; userNotFound?: boolean | undefined };
  /** The answer to Cognito. Each trigger sets its own of these fields. */
  response: {
    answerCorrect?: boolean;
    challengeName?: string | undefined;
    issueTokens?: boolean;
    failAuthentication?: boolean;
    publicChallengeParameters?: Record<string, string>;
    claimsAndScopeOverrideDetails?: object | undefined;
  };
}

/**
 * How long before its timeout a trigger answers, in milliseconds. Cognito abandons a trigger after 5 seconds
 * and calls it again, and it shows an exception to the client. So a trigger answers in time, and answers a
 * fault with the refusal.
 */
const EARLY = 400;

/**
 * Makes a handler for a Cognito trigger. It answers in time and logs one line.
 *
 * @param operation its name in the log
 * @param refusal the response if anything fails or takes too long; `rethrow` for triggers that can only
 * refuse by an exception
 * @param audit further fields of the log line
 */
export function trigger<E extends TriggerEvent>(
  operation: string,
  refusal: E['response'] | 'rethrow',
  run: (event: E, now: number) => Promise<E['response']>,
  audit: (event: E) => Record<string, unknown> = () => ({}),
) {
  const log = (request: { event: E; context: Context; response: E | null }, code?: ErrorCode) =>
    logOutcome(operation, request, { ...audit(request.event), code });
  const answer = (event: E, response: object) => ({ ...event, response: { ...event.response, ...response } });
  return middy<E, E, Error, Context>({
    timeoutEarlyInMillis: EARLY,
    timeoutEarlyResponse: () => {
      throw outOfTime();
    },
  })
    .use({
      after: (request) => log(request),
      onError(request) {
        const { error, event, context } = request;
        logFault({ invocationId: context.awsRequestId, operation }, error);
        if (refusal !== 'rethrow') request.response = answer(event, refusal);
        log(request, error instanceof CountersignError ? error.code : 'internal_error');
      },
    })
    .handler(async (event, context): Promise<E> => {
      const left = () => context.getRemainingTimeInMillis() - EARLY;
      return answer(event, await within(left, () => run(event, secondsNow())));
    });
}

/** Logs one line for each invocation: the step, the answer to Cognito, and why if it refuses. */
function logOutcome(
  operation: string,
  { event, context, response }: { event: TriggerEvent; context: Context; response: TriggerEvent | null },
  besides: Record<string, unknown>,
): void {
  const { answerCorrect, challengeName, issueTokens, failAuthentication, publicChallengeParameters } =
    response?.response ?? {};
  writeLog({
    level: 'info',
    invocationId: context.awsRequestId,
    operation,
    triggerSource: event.triggerSource,
    answerCorrect,
    challengeName,
    issueTokens,
    failAuthentication,
    methods: publicChallengeParameters?.['methods'],
    ...besides,
  });
}

/**
 * Returns the user who signs in, by `sub`, which never changes, not by the name they type. Undefined if there
 * is no such user.
 */
export function userOf({ request }: TriggerEvent, realm: string): User | undefined {
  const sub = request.userAttributes?.['sub'];
  return sub && !request.userNotFound ? { realm, sub } : undefined;
}
