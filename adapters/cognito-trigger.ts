import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { CountersignError, type ErrorCode } from '../core/error.ts';
import type { User } from '../core/user.ts';
import { secondsNow } from './clock.ts';
import { outOfTime, within } from './deadline.ts';
import { logFault, writeLog } from './log.ts';

/** What every trigger event of a user pool has (Cognito developer guide, "Lambda triggers"). */
interface TriggerEvent {
  triggerSource: string;
  request: { userAttributes?: Record<string, string>; userNotFound?: boolean | undefined };
  /** What Cognito is told by the one trigger or the other. */
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
 * Cognito gives a trigger up after 5 seconds and calls it again, and shows an exception to the client. So a trigger answers
 * in time, and a fault is an answer: the refusal.
 */
const EARLY = 400;

/**
 * A Cognito trigger.
 *
 * @param refusal the response where anything fails or takes too long; `rethrow` for triggers that can refuse by an
 * exception only
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

/** One line an invocation, as the endpoints have one a request: which step, what Cognito is told, and why if refused. */
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

/** Who signs in: by `sub`, which never changes, not by the name they type. Undefined for nobody. */
export function userOf({ request }: TriggerEvent, realm: string): User | undefined {
  const sub = request.userAttributes?.['sub'];
  return sub && !request.userNotFound ? { realm, sub } : undefined;
}
