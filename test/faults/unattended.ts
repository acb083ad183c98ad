// For functions that nobody waits for: what fails is run again by Lambda, by the schedule or by whoever ran it by hand.
import assert from 'node:assert/strict';
import type { Fault } from '@countersign/local-aws/context';
import type { InvokeResult } from '@countersign/local-aws/lambda/runtime';
import { KEYRING_TTL } from '../../core/key-rotation.ts';
import type { Service } from '../../local/service.ts';
import { type Stored, storeOf } from './stored.ts';

/** What one run did. */
export interface Turn {
  outcome: InvokeResult;
  /** As `dynamodb:GetItem`, in the order they were asked. */
  asked: string[];
  after: Stored;
}

/** The fault for one call of a run; the count begins with 1. */
export type Plan = (call: { count: number; name: string }) => Fault | undefined;

export interface Scene {
  /** As in functions/. */
  operation: string;
  event: object;
  /** All that the runs may change, as it is before each of them. */
  before: Stored;
  /** Not to be played sooner, in seconds since the epoch. @default at any time */
  from?: number;
  /** What came of it, without what is random or a time. */
  essence(after: Stored): unknown;
  /** The essence of what one run leaves that nothing is in the way of. */
  expected: unknown;
  /** What must hold even where a run has failed. @default nothing more */
  assertSafe?(after: Stored, what: string): void;
  /** Seconds until the next run. @default it comes at once */
  pause?: number;
}

const BEFORE: Fault[] = ['throttle', 'error', 'reset'];
const AFTER: Fault[] = ['error-after', 'lose-answer'];

/** The faults for a call: where nothing is written or made, what is after is before. */
function faultsOf(call: string): Fault[] {
  const reads = /:(GetItem|Scan|Decrypt)$/.test(call);
  return reads ? BEFORE : [...BEFORE, ...AFTER];
}

export type Unattended = ReturnType<typeof unattended>;

/** Plays scenes on one service, where several at once are of different functions. */
export function unattended(service: Service) {
  const store = storeOf(service);
  const plans = new Map<string, { asked: string[]; plan: Plan }>();
  service.setFault(({ service: dependency, operation, principal = '' }) => {
    // As CDK names the function of `rotate-keys`: …-RotateKeysFunction….
    const under = [...plans].find(([name]) => principal.includes(`${name}Function`))?.[1];
    if (!under) return undefined;
    const name = `${dependency}:${operation}`;
    return under.plan({ count: under.asked.push(name), name });
  });

  /** Runs it on what is stored by now. */
  async function run({ operation, event, before }: Scene, plan: Plan = () => undefined): Promise<Turn> {
    const asked: string[] = [];
    const name = operation.replace(/(?:^|\W)([a-z])/g, (_, letter: string) => letter.toUpperCase());
    plans.set(name, { asked, plan });
    try {
      const outcome = await service.invoke(operation, event);
      return { outcome, asked, after: await store.readAll(Object.keys(before)) };
    } finally {
      plans.delete(name);
    }
  }

  /** What is stored and the time as they are before a run by a container that holds no keys. */
  async function setUp(...scenes: Scene[]): Promise<void> {
    for (const { before } of scenes) await store.setAll(before);
    const from = Math.max(...scenes.map((scene) => scene.from ?? 0));
    service.clock.advance(Math.max(KEYRING_TTL + 1, from - service.clock.seconds()));
  }

  async function runAnew(scene: Scene, plan?: Plan): Promise<Turn> {
    await setUp(scene);
    return run(scene, plan);
  }

  /** Plays every fault that shows at once at each call of a clean run. */
  async function eachFault(
    scene: Scene,
    play: (fault: Fault, nth: number, what: string) => Promise<void>,
  ): Promise<void> {
    const clean = await runAnew(scene);
    assertEndedWell(scene, clean, 'a clean run');
    for (const [index, name] of clean.asked.entries()) {
      for (const fault of faultsOf(name)) {
        await play(fault, index + 1, `${fault} at call ${index + 1} of ${clean.asked.length}, ${name}`);
      }
    }
  }

  /** Under faults for which one attempt more is enough. */
  async function assertEndsWell(scene: Scene, plan: Plan, what: string): Promise<void> {
    assertEndedWell(scene, await runAnew(scene, plan), what);
  }

  return {
    ...store,
    runAnew,
    /** The same for several at once. The time is set before the first begins: no run finds it moved. */
    async assertAllEndWell(...plays: { scene: Scene; plan: Plan; what: string }[]): Promise<void> {
      await setUp(...plays.map(({ scene }) => scene));
      await Promise.all(
        plays.map(async ({ scene, plan, what }) => assertEndedWell(scene, await run(scene, plan), what)),
      );
    },
    /** Whatever one call meets, the run ends well; and one more run changes nothing. */
    async assertTriedAgain(scene: Scene): Promise<void> {
      await eachFault(scene, (fault, nth, what) =>
        assertEndsWell(scene, ({ count }) => (count === nth ? fault : undefined), what),
      );
      assertEndedWell(scene, await run(scene), 'once more');
    },
    /** While everything fails from some call on, the run fails or has come to its end; the next makes up for it. */
    async assertMadeUpFor(scene: Scene): Promise<void> {
      await eachFault(scene, async (fault, nth, what) => {
        // To the SDK's end of patience with it: seconds each.
        if (fault === 'throttle' && nth > 1) return;
        const first = await runAnew(scene, ({ count }) => (count >= nth ? fault : undefined));
        if (first.outcome.ok) assertEndedWell(scene, first, what);
        scene.assertSafe?.(first.after, what);
        service.clock.advance(scene.pause ?? 0);
        assertEndedWell(scene, await run(scene), `${what}: the next run`);
      });
    },
  };
}

function assertEndedWell({ essence, expected }: Scene, { outcome, after }: Turn, what: string): void {
  // Without the trace: it holds the whole of the worker's module.
  if (!outcome.ok) assert.fail(`${what}: ${outcome.error.errorType}: ${outcome.error.errorMessage}`);
  assert.deepEqual(essence(after), expected, what);
}
