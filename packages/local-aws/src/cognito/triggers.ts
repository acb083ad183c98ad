import { AwsError } from '../aws-error.ts';
import type { Clock } from '../clock.ts';
import type { PoolSettings, TriggerName } from './settings.ts';

/** Runs a function by its ARN; rejects on a function error. */
export type InvokeTrigger = (functionArn: string, event: unknown) => Promise<unknown>;

export interface TriggerCall {
  trigger: TriggerName;
  /** The end of triggerSource, such as `Authentication` in `DefineAuthChallenge_Authentication`. */
  source: string;
  username: string;
  clientId: string;
  request: Record<string, unknown>;
  response: Record<string, unknown>;
  version?: string;
}

/** Calls one trigger and returns its `response`; undefined if the pool has none of that name. */
export type CallTrigger = (call: TriggerCall) => Promise<Record<string, unknown> | undefined>;

const LIMIT = 5000;
const attempts = 3;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Resolves to the answer, or to `late` after the limit in milliseconds. A late answer is dropped. */
async function within<T>(answer: Promise<T>, limit: number): Promise<T | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const clock = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), limit);
  });
  try {
    return await Promise.race([answer, clock]);
  } finally {
    clearTimeout(timer);
    answer.catch(() => undefined);
  }
}

/**
 * Calls triggers as Cognito does: it waits five seconds, tries a slow function three times, and never retries an error.
 * Throws `UserLambdaValidationException` if the function throws, `UnexpectedLambdaException` if it stays silent or
 * cannot be invoked, `InvalidLambdaResponseException` if it returns no event.
 */
export function createTriggers(options: {
  poolId: string;
  region: string;
  settings: PoolSettings;
  invoke: InvokeTrigger;
  /** @default no slower than AWS */
  clock?: Pick<Clock, 'slowness'>;
}): CallTrigger {
  return async ({ trigger, source, username, clientId, request, response, version }) => {
    const arn = options.settings.triggers[trigger];
    if (arn === undefined) return undefined;
    const family = trigger === 'PreTokenGeneration' ? 'TokenGeneration' : trigger;
    const event = {
      version: version ?? '1',
      region: options.region,
      userPoolId: options.poolId,
      userName: username,
      callerContext: { awsSdkVersion: 'aws-sdk-unknown-unknown', clientId },
      triggerSource: `${family}_${source}`,
      request,
      response,
    };
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      const answer = await within(
        options.invoke(arn, structuredClone(event)).catch(failed(trigger)),
        LIMIT * (options.clock?.slowness ?? 1),
      );
      if (answer === 'late') continue;
      if (!isObject(answer) || !isObject(answer['response'])) {
        throw new AwsError('InvalidLambdaResponseException', 'Unrecognizable lambda output');
      }
      return answer['response'];
    }
    throw new AwsError(
      'UnexpectedLambdaException',
      `${trigger} invocation failed due to error Socket timeout while invoking Lambda function.`,
    );
  };
}

function failed(trigger: TriggerName): (error: unknown) => never {
  return (error) => {
    if (error instanceof AwsError) {
      throw new AwsError(
        'UnexpectedLambdaException',
        `${trigger} invocation failed due to error ${error.code}.`,
      );
    }
    const message = error instanceof Error ? error.message : String(error);
    const end = message.endsWith('.') ? '' : '.';
    throw new AwsError('UserLambdaValidationException', `${trigger} failed with error ${message}${end}`);
  };
}
