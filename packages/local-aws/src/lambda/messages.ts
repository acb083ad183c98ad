import type { Hosts } from './network.ts';

/** Lambda's report of a function that failed. */
export interface FunctionError {
  errorType: string;
  errorMessage: string;
  trace?: string[];
}

/** The start data of an environment. */
export interface Start {
  /** The folder that is /var/task on Lambda. */
  folder: string;
  /** As in `index.handler`. */
  handler: string;
  /** See clock.ts. */
  clock: SharedArrayBuffer;
  hosts: Hosts;
}

/** One event on its way in. Times are in milliseconds since the epoch, by the unshifted clock. */
export interface Invocation {
  payload: string;
  requestId: string;
  deadline: number;
  functionArn: string;
}

/** A worker's message: the outcome of the start first, then one answer for each invocation. */
export type Report =
  | { kind: 'started' }
  | { kind: 'answered'; payload: string }
  | { kind: 'failed'; error: FunctionError };
