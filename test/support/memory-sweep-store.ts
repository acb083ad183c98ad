import { recordKey } from '../../adapters/records.ts';
import { HELD } from '../../adapters/sweep-store.ts';
import type { SweepJob, SweepStore } from '../../core/sweep.ts';
import type { User } from '../../core/user.ts';
import type { createMemoryKeyring } from './memory-keyring.ts';
import type { MemoryRecords } from './memory-records.ts';

/** Returns a sweep's store over records in memory, which reads a few records at a time. */
export function createMemorySweepStore(
  records: Pick<MemoryRecords, 'all' | 'rebox'>,
  keyring: ReturnType<typeof createMemoryKeyring>,
  pageSize = 2,
) {
  let job: SweepJob = { sweep: undefined, endedAt: 0 };
  let holder: { run: SweepStore; until: number } | undefined;
  const unreadable = new Set<string>();
  const placeOf = (user: User) => recordKey(user).pk.S ?? '';

  /** Returns a run. At most one run holds the job. */
  function run(): SweepStore {
    const self: SweepStore = {
      async take(now) {
        if (holder && holder.run !== self && holder.until >= now) return undefined;
        holder = { run: self, until: now + HELD };
        return structuredClone(job);
      },
      async save(next) {
        if (holder?.run !== self) throw new Error('Another run has the job.');
        job = structuredClone(next);
      },
      async release() {
        if (holder?.run === self) holder = undefined;
      },
      // Continues after the last key, as in a table. Records added or deleted meanwhile do not shift the
      // others.
      async page(cursor = '') {
        const rest = records
          .all()
          .map((record) => ({ ...record, place: placeOf(record.user) }))
          .filter(({ place }) => place > cursor)
          .toSorted((one, other) => (one.place < other.place ? -1 : 1));
        const page = rest.slice(0, pageSize);
        return {
          records: page.map(({ user, factor }) => (unreadable.has(user.sub) ? { user } : { user, factor })),
          cursor: rest.length > pageSize ? page.at(-1)?.place : undefined,
        };
      },
      reseal: async (user, read, next) => records.rebox(user, read, next),
      keys: async (kind) => keyring.keys(kind),
      async retire(kind, ids) {
        for (const id of ids) keyring.forget(kind, id);
        return true;
      },
    };
    return self;
  }

  return {
    run,
    /** Returns the saved job. */
    job: () => job,
    /** Subs of users whose records cannot be read. */
    unreadable,
  };
}
