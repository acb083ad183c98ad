import { AsyncLocalStorage } from 'node:async_hooks';
import { type CountersignError, unavailable } from '../core/error.ts';

const invocation = new AsyncLocalStorage<() => number>();

/**
 * Runs the work of one invocation. What it asks of AWS has to end within the time that is left: else an answer would be
 * given without it, and its write might still happen, in this invocation or the next one.
 *
 * Three things watch the time, and none stands in for another. The SDK's time-outs (aws.ts) bound one attempt, so that a second
 * one is possible. This bounds the attempts together. The early answer of the endpoint and the trigger bounds what is no call
 * of the SDK, and an answer that stops in the middle of the last attempt.
 *
 * @param left milliseconds, as of now
 */
export function within<T>(left: () => number, work: () => Promise<T>): Promise<T> {
  return invocation.run(left, work);
}

/** The fault of an invocation whose time is over, or of a call that could not end within it. */
export function outOfTime(): CountersignError {
  return unavailable(new DOMException('The time of the invocation is over.', 'TimeoutError'));
}

/** The milliseconds that are left of the invocation; without end outside of one. */
export function timeLeft(): number {
  return invocation.getStore()?.() ?? Number.POSITIVE_INFINITY;
}
