import type { Clock } from './clock.ts';
import type { Call, Exchange, Principal, Surroundings } from './types.ts';

export type AskFault = Surroundings['fault'];

/** What every embedded server shares, and what is seen of it from outside. */
export interface Observed {
  surroundings: Surroundings;
  /** Every request to an AWS service, in the order they were answered. */
  calls: Call[];
  /** Asked before each of them; undefined takes it away. */
  setFault(ask: AskFault | undefined): void;
}

/** Calls kept for the tests that count them. */
const MOST_CALLS = 100_000;

export function createSurroundings(
  clock: Clock,
  place: { region: string; account: string },
  principal: (accessKeyId: string) => Principal | undefined,
  onExchange?: (exchange: Exchange) => void,
): Observed {
  const calls: Call[] = [];
  let askFault: AskFault | undefined;
  return {
    calls,
    setFault(ask) {
      askFault = ask;
    },
    surroundings: {
      ...place,
      clock,
      principal,
      onCall(call) {
        if (calls.push(call) > MOST_CALLS) calls.splice(0, MOST_CALLS / 2);
      },
      ...(onExchange && { onExchange }),
      fault: (call) => askFault?.(call),
    },
  };
}
