import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Deployment } from '../cloudformation/deployment.ts';
import { known } from '../cloudformation/known.ts';
import type { InvokeResult } from '../lambda/runtime.ts';
import { checkTargets, type MayInvoke } from './rules.ts';

/** The own part of an event ("Events in Amazon EventBridge"). */
export interface BusEvent {
  source: string;
  'detail-type': string;
  detail: Record<string, unknown>;
}

/** The account's default event bus, with the deployment's rules. */
export interface EventBus {
  /** Returns at once. The functions of matching rules are invoked later, up to three times each. */
  put(event: BusEvent): void;
  /** Resolves when every event put so far has been delivered or given up. */
  settled(): Promise<void>;
  /** Stops retrying, and waits for the deliveries in progress. Nothing is invoked after it. */
  close(): Promise<void>;
}

/** "Asynchronous invocation" retries twice. Lambda waits minutes between; here there is no wait. */
const ATTEMPTS = 3;

/**
 * Makes the bus of the deployment's rules.
 *
 * @throws Error for a rule that is not emulated, or whose function EventBridge may not invoke
 */
export function createEventBus(
  deployment: Deployment,
  mayInvoke: MayInvoke,
  invoke: (functionArn: string, event: unknown) => Promise<InvokeResult>,
  now: () => number,
): EventBus {
  const rules = deployment
    .resources('AWS::Events::Rule')
    .filter(({ properties }) => properties['EventPattern'] !== undefined)
    .map((rule) => {
      known(rule, rule.properties, ['Description', 'EventPattern', 'Name', 'State', 'Tags', 'Targets']);
      return {
        matches: readPattern(rule.logicalId, rule.properties['EventPattern']),
        targets: checkTargets(deployment, rule, mayInvoke),
      };
    });
  const underway = new Set<Promise<void>>();
  let open = true;

  async function deliver(functionArn: string, event: unknown): Promise<void> {
    for (let attempt = 0; open && attempt < ATTEMPTS; attempt++) {
      if ((await invoke(functionArn, event)).ok) return;
    }
  }

  return {
    put(entry) {
      const event = {
        version: '0',
        id: randomUUID(),
        ...entry,
        account: deployment.account,
        time: `${new Date(now()).toISOString().slice(0, 19)}Z`,
        region: deployment.region,
        resources: [],
      };
      for (const { matches, targets } of rules) {
        if (!matches(event)) continue;
        for (const target of targets) {
          // Functions that have stopped meanwhile receive nothing.
          const delivery = deliver(target, event).catch(() => undefined);
          underway.add(delivery);
          void delivery.finally(() => underway.delete(delivery));
        }
      }
    },
    async settled() {
      await Promise.all(underway);
    },
    async close() {
      open = false;
      await Promise.all(underway);
    },
  };
}

type Matches = (value: unknown) => boolean;

/**
 * Reads an event pattern: nested objects that end in lists of values, of which one has to match.
 *
 * @throws Error for a comparison operator other than `{"exists": false}`
 */
function readPattern(rule: string, pattern: unknown): Matches {
  if (Array.isArray(pattern)) {
    const ways = pattern.map((wanted): Matches => {
      if (typeof wanted !== 'object' || wanted === null) {
        return (value) => [value].flat().includes(wanted);
      }
      if (isDeepStrictEqual(wanted, { exists: false })) return (value) => value === undefined;
      throw new Error(`${rule}: the comparison ${JSON.stringify(wanted)} is not known here.`);
    });
    return (value) => ways.some((matches) => matches(value));
  }
  if (typeof pattern !== 'object' || pattern === null) {
    throw new Error(`${rule}: a pattern's values stand in lists.`);
  }
  const fields = Object.entries(pattern).map(([name, inner]) => [name, readPattern(rule, inner)] as const);
  return (value) => {
    const object = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
    return fields.every(([name, matches]) => matches(object[name]));
  };
}
