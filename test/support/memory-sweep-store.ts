import type { Factor } from '../../core/factor.ts';
import type { SweepJob, SweepStore } from '../../core/sweep.ts';
import type { User } from '../../core/user.ts';
import type { createMemoryKeyring } from './memory-keyring.ts';
import type { MemoryRecords } from './memory-records.ts';

/** A sweep's job and its way over records in memory, a few at a time. */
export function createMemorySweepStore(
  records: Pick<MemoryRecords, 'all' | 'rebox'>,
  keyring: ReturnType<typeof createMemoryKeyring>,
  pageSize = 2,
): SweepStore & { job: SweepJob; unreadable: Set<string> } {
  const unreadable = new Set<string>();
  let taken = false;
  const store = {
    job: { sweep: undefined, endedAt: 0 } as SweepJob,
    /** Subs of users whose records cannot be read. */
    unreadable,
    async take() {
      if (taken) return undefined;
      taken = true;
      return structuredClone(store.job);
    },
    async save(job: SweepJob) {
      store.job = structuredClone(job);
    },
    async release() {
      taken = false;
    },
    async page(cursor: string | undefined) {
      const start = Number(cursor ?? 0);
      const all = records.all();
      const end = start + pageSize;
      return {
        records: all
          .slice(start, end)
          .map(({ user, factor }) => (unreadable.has(user.sub) ? { user } : { user, factor })),
        cursor: end < all.length ? String(end) : undefined,
      };
    },
    reseal: async (user: User, read: Factor, next: Factor) => records.rebox(user, read, next),
    keys: async (kind: 'data' | 'backup-code') => keyring.keys(kind),
    async retire(kind: 'data' | 'backup-code', ids: string[]) {
      for (const id of ids) keyring.forget(kind, id);
      return true;
    },
  };
  return store;
}
