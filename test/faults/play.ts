import assert from 'node:assert/strict';
import type { Call, Fault } from '@countersign/local-aws/context';
import { WRITTEN_BY } from '../../adapters/record-item.ts';
import { KEYRING_TTL } from '../../core/key-rotation.ts';
import type { Service } from '../../local/service.ts';
import type { Answer } from '../support/client.ts';
import type { Actor, Cast } from './operations.ts';
import { changesOf, type Stored, storeOf } from './stored.ts';

/** What one run did: how it was answered, what it asked of AWS, and what it changed. */
export interface Run {
  answer: Answer;
  /** As `dynamodb:GetItem`, in the order they were asked. */
  asked: string[];
  calls: Call[];
  changes: Record<string, unknown>;
  /** Milliseconds. */
  took: number;
}

/** The fault for one call of a function's run; the count begins with 1. */
export type Plan = (call: { count: number; name: string }) => Fault | undefined | Promise<Fault | undefined>;

export type Stage = Awaited<ReturnType<typeof stageOf>>;

/** Runs operations of one cast, all at once: each is a function of its own, so each call is known by who makes it. */
export async function stageOf(service: Service, cast: Cast) {
  const store = storeOf(service);
  const names = Object.keys(cast) as (keyof Cast)[];
  const actors = new Map<string, { actor: Actor; before: Stored }>();
  await Promise.all(
    Object.entries(cast).map(async ([name, make]) => {
      const actor = await make();
      actors.set(name, { actor, before: await store.readAll(actor.keys) });
    }),
  );
  // Everybody's next code is a new one.
  service.clock.advance(30);
  const made = service.clock.seconds();
  const of = (name: string) => actors.get(name) ?? assert.fail(`${name} is not in this cast`);

  return {
    names,
    /** Whether the tokens of these actors, of an hour, may end within seven runs that begin with forgotten keys. */
    old: () => service.clock.seconds() - made > 3600 - 7 * (KEYRING_TTL + 1),
    /** The keys that functions have cached are forgotten. */
    forgetKeys: () => service.clock.advance(KEYRING_TTL + 1),
    goOn: (name: string) => of(name).actor.goOn(),
    /** What is changed by now, since before the last run. */
    changes: async (name: string) => changesOf(of(name).before, await store.readAll(of(name).actor.keys)),
    /** Writes the same record as somebody else would. */
    async overtake(name: string): Promise<void> {
      for (const pk of of(name).actor.keys) {
        const item = await store.read(pk);
        if (item?.[WRITTEN_BY]) await store.set(pk, { ...item, [WRITTEN_BY]: { S: 'somebody-elses' } });
      }
    },
    close: () => store.close(),

    /**
     * Puts back what was stored, then runs each of these operations once, under its plan.
     *
     * @param meanwhile between the preparation and the run
     */
    async run(
      plans: Record<string, Plan | undefined>,
      meanwhile: () => unknown = () => {},
    ): Promise<{ runs: Record<string, Run>; again(name: string): Promise<Answer> }> {
      const names = Object.keys(plans);
      await Promise.all(names.map((name) => store.setAll(of(name).before)));
      const shots = new Map(
        await Promise.all(names.map(async (name) => [name, await of(name).actor.ready()] as const)),
      );
      meanwhile();
      const asked = new Map<string, string[]>();
      const from = service.calls.length;
      let unsigned = 'login';
      service.setFault((call) => {
        const caller = call.principal === undefined ? unsigned : operationOf(call.principal);
        if (caller === undefined) return undefined;
        const before = asked.get(caller) ?? [];
        const name = `${call.service}:${call.operation}`;
        asked.set(caller, [...before, name]);
        return plans[caller]?.({ count: before.length + 1, name });
      });
      const shoot = (name: string) => (shots.get(name) ?? assert.fail(name))();
      const timed = async (name: string) => {
        const begun = performance.now();
        const answer = await shoot(name);
        return { name, answer, took: performance.now() - begun };
      };
      // RevokeToken is not signed, and these two ask for it: one after the other, so that it is known who does.
      const checking = ['login', 'enroll'].filter((name) => names.includes(name));
      const others = names.filter((name) => !checking.includes(name));
      const inTurn = async () => {
        const ended = [];
        for (unsigned of checking) ended.push(await timed(unsigned));
        return ended;
      };
      const ended = (await Promise.all([inTurn(), Promise.all(others.map(timed))])).flat();
      service.setFault(undefined);
      const calls = service.calls.slice(from);
      const runs = await Promise.all(
        ended.map(async ({ name, answer, took }): Promise<[string, Run]> => {
          const { actor, before } = of(name);
          const changes = changesOf(before, await store.readAll(actor.keys));
          const own = calls.filter(({ principal }) => operationOf(principal) === name);
          return [name, { answer, took, changes, asked: asked.get(name) ?? [], calls: own }];
        }),
      );
      return { runs: Object.fromEntries(runs), again: shoot };
    },
  };
}

/** Whose call it is, as in functions/. Undefined for the operator, and for what is not signed. */
function operationOf(principal = ''): string | undefined {
  const [, name] = /:assumed-role\/[^/]+\/(?:\w+Api)-?(.+?)Function[0-9A-F]{8}/.exec(principal) ?? [];
  return name?.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toLowerCase();
}
