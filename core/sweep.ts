import type { Factor } from './factor.ts';
import { unusedKeys } from './key-rotation.ts';
import type { Keyring, SecretKind } from './ports.ts';
import { keysOf, resealed } from './reseal.ts';
import type { Settings } from './settings.ts';
import type { User } from './user.ts';

/** A sweep over all records, as far as it has come. */
export interface Sweep {
  /** Seconds since the epoch. */
  began: number;
  /** Where to go on; undefined at the beginning. */
  cursor: string | undefined;
  /** Keys that were met on the way: none of them is retired by this sweep. */
  met: Record<SecretKind, string[]>;
  /** Records that could not be read: with any, no key is known to be unused. */
  unreadable: number;
}

export interface SweepStore {
  load(): Promise<Sweep | undefined>;
  save(sweep: Sweep | undefined): Promise<void>;
  /** Some records from the cursor on, unreadable ones without their factor, and where to go on; undefined at the end. */
  page(
    cursor: string | undefined,
  ): Promise<{ records: { user: User; factor?: Factor }[]; cursor: string | undefined }>;
  /** Writes the same record with other boxes, unless anything has been written since it was read. */
  reseal(user: User, read: Factor, next: Factor): Promise<void>;
  /** Key ids of a kind with the time each became active. */
  keys(kind: SecretKind): Promise<{ id: string; activeFrom: number }[]>;
  /** Takes keys out of the keyring for good. */
  retire(kind: SecretKind, ids: string[]): Promise<void>;
}

const KINDS = ['data', 'backup-code'] as const;

/**
 * Goes over the records at a bounded rate, seals secrets under the active key, and at the end of a whole sweep retires keys
 * that it met nowhere. Stops when `goOn` says so and resumes from there. Does nothing while there is one key of each kind.
 *
 * A key met in this sweep is retired by a later one at the earliest: a write that was under way while its record was sealed
 * anew may have brought the old box back.
 */
export async function sweep(
  services: { store: SweepStore; keyring: Keyring; settings: Settings },
  now: number,
  goOn: () => Promise<boolean>,
): Promise<{ seen: number; resealed: number; finished: boolean }> {
  const { store, keyring, settings } = services;
  const count = { seen: 0, resealed: 0 };
  const rings = await Promise.all(KINDS.map((kind) => store.keys(kind)));
  if (rings.every((keys) => keys.length <= 1)) return { ...count, finished: true };

  let state = (await store.load()) ?? {
    began: now,
    cursor: undefined,
    met: { data: [], 'backup-code': [] },
    unreadable: 0,
  };
  do {
    const page = await store.page(state.cursor);
    const met = { data: new Set(state.met.data), 'backup-code': new Set(state.met['backup-code']) };
    let { unreadable } = state;
    for (const { user, factor } of page.records) {
      count.seen++;
      if (!factor) {
        unreadable++;
        continue;
      }
      const used = keysOf(factor);
      for (const id of used.data) met.data.add(id);
      for (const id of used.backupCode) met['backup-code'].add(id);
      const next = await resealed(keyring, user, factor, now);
      if (!next) continue;
      await store.reseal(user, factor, next);
      count.resealed++;
    }
    state = {
      ...state,
      cursor: page.cursor,
      met: { data: [...met.data], 'backup-code': [...met['backup-code']] },
      unreadable,
    };
    if (page.cursor === undefined) {
      await retireUnused(store, state, settings);
      await store.save(undefined);
      return { ...count, finished: true };
    }
    await store.save(state);
  } while (await goOn());
  return { ...count, finished: false };
}

async function retireUnused(
  store: SweepStore,
  { began, met, unreadable }: Sweep,
  settings: Settings,
): Promise<void> {
  if (unreadable > 0) return;
  for (const kind of KINDS) {
    const unused = unusedKeys(await store.keys(kind), new Set(met[kind]), began, settings);
    if (unused.length > 0)
      await store.retire(
        kind,
        unused.map(({ id }) => id),
      );
  }
}
