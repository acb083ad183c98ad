import { isDeepStrictEqual } from 'node:util';
import { type Factor, noFactor } from '../../core/factor.ts';
import type { Records } from '../../core/ports.ts';
import type { User } from '../../core/user.ts';

export interface MemoryRecords extends Records {
  put(user: User, factor: Factor): void;
  /** The same record with other boxes, as a sweep writes it: to whoever has read it, it is the one they read. */
  rebox(user: User, read: Factor, next: Factor): boolean;
  all(): { user: User; factor: Factor }[];
}

/** Records in memory: compare-and-set on the whole state, and only what has changed is written, as the port promises. */
export function createMemoryRecords(): MemoryRecords {
  const items = new Map<string, { user: User; factor: Factor }>();
  let writes = 0;
  const keyOf = ({ realm, sub }: User) => JSON.stringify([realm, sub]);
  const stored = (user: User) => structuredClone(items.get(keyOf(user))?.factor ?? noFactor);
  const put = (user: User, factor: Factor) =>
    void items.set(keyOf(user), {
      user,
      factor: { ...structuredClone(factor), writtenBy: `write-${++writes}` },
    });
  return {
    read: async (user) => stored(user),
    async replace(user, read, next) {
      const now = stored(user);
      if (now.writtenBy !== read.writtenBy) return { written: false, stored: now };
      // What `next` has as it was read is not written: it may have other boxes by now.
      const kept = (name: 'authenticators' | 'pending') => isDeepStrictEqual(next[name], read[name]);
      put(user, {
        ...next,
        authenticators: (kept('authenticators') ? now : next).authenticators,
        pending: (kept('pending') ? now : next).pending,
      });
      return { written: true };
    },
    put,
    rebox(user, read, { authenticators, pending }) {
      const now = stored(user);
      if (now.writtenBy !== read.writtenBy) return false;
      items.set(keyOf(user), { user, factor: structuredClone({ ...now, authenticators, pending }) });
      return true;
    },
    all: () => [...items.values()].map(({ user }) => ({ user, factor: stored(user) })),
  };
}
