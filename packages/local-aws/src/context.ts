import type { Clock } from './clock.ts';
import type { Principal } from './iam/policy.ts';

/** The clock, place and observers that all embedded servers share. */
export interface Context {
  clock: Clock;
  region: string;
  account: string;
  /** Returns the holder of an access key id. */
  principal(accessKeyId: string): Principal | undefined;
  /** Called when a request has been answered or dropped. */
  onCall(call: Call): void;
  /** Called when there is an answer, even if it never arrives, and when an event is put. @default not called */
  onExchange?(exchange: Exchange): void;
  /**
   * Called before each request; undefined lets it through. The request waits for the promise, so a test can delay an
   * answer or let something else happen first.
   */
  fault(call: FaultedCall): Fault | undefined | Promise<Fault | undefined>;
}

export type Service = 'dynamodb' | 'kms' | 'cognito-idp' | 'lambda';

/** One request, for tests that count them. It never holds the bodies. */
export interface Call {
  service: Service;
  operation: string;
  /** The principal's ARN. @default the operation takes no signature */
  principal?: string;
  status: number;
}

export type FaultedCall = Omit<Call, 'status'>;

/** One request with its answer, for tests that search them for secrets. */
export interface Exchange {
  /** `execute-api` is a client's request to the API; `events` is an event for a function and has no answer. */
  service: Service | 'execute-api' | 'events';
  /** AWS's name of the operation; for the API the method and the path. */
  operation: string;
  request: { headers: Record<string, string>; body: string };
  status: number;
  answer: { headers: Record<string, string>; body: string };
}

/**
 * A fault to play on one call.
 *
 * Before anything happens: `throttle` and `error` refuse, `reset` cuts the connection, `hang` never answers. After the
 * work is done: `error-after` answers that it failed, `lose-answer` cuts the connection, `hang-after` never answers,
 * `stall` stops in the middle of the answer.
 */
export type Fault =
  | 'throttle'
  | 'error'
  | 'reset'
  | 'hang'
  | 'error-after'
  | 'lose-answer'
  | 'hang-after'
  | 'stall';

/** A context, and what a test sees and changes of it. */
export interface ObservedContext {
  context: Context;
  /** Every request to an AWS service, in the order of the answers. */
  calls: Call[];
  /** Sets what is called before each request; undefined removes it. */
  setFault(fault: Context['fault'] | undefined): void;
}

/** Only the newest calls are kept. */
const MOST_CALLS = 100_000;

export function createContext(
  shared: Pick<Context, 'clock' | 'region' | 'account' | 'principal' | 'onExchange'>,
): ObservedContext {
  const calls: Call[] = [];
  let fault: Context['fault'] | undefined;
  return {
    calls,
    setFault(next) {
      fault = next;
    },
    context: {
      ...shared,
      onCall(call) {
        if (calls.push(call) > MOST_CALLS) calls.splice(0, MOST_CALLS / 2);
      },
      fault: (call) => fault?.(call),
    },
  };
}
