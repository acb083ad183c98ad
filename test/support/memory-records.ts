import { isDeepStrictEqual } from 'node:util';
import { IN_FLIGHT } from '../../adapters/records.ts';
import { type Factor, noFactor } from '../../core/factor.ts';
import type { Records } from '../../core/ports.ts';
import type { User } from '../../core/user.ts';

export interface MemoryRecords extends Records {
  put(user: User, factor: Factor): void;
  remove(user: User): void;
  /** Writes a record with its secrets resealed, as a sweep does. Whoever read it can still replace it. */
  rebox(user: User, read: Factor, next: Factor): boolean;
  all(): { user: User; factor: Factor }[];
}

/**
 * Returns records in memory. As the port promises, they compare and set the whole state, and write only
 * changed members.
 *
 * @param now returns the time of a write, in seconds since the epoch. @default the time of the decision
 */
export function createMemoryRecords(now = () => 0): MemoryRecords {
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
      const current = stored(user);
      if (current.writtenBy !== read.writtenBy) return { written: false, stored: current };
      // Members that `next` did not change are not written, because a sweep may have resealed them.
      const kept = (name: 'authenticators' | 'pending') => isDeepStrictEqual(next[name], read[name]);
      const renewed = next.generation !== read.generation;
      put(user, {
        ...next,
        authenticators: (kept('authenticators') ? current : next).authenticators,
        pending: (kept('pending') ? current : next).pending,
        changedAt: renewed ? Math.max(next.changedAt, now()) + IN_FLIGHT : next.changedAt,
      });
      return { written: true };
    },
    put,
    remove: (user) => void items.delete(keyOf(user)),
    rebox(user, read, { authenticators, pending }) {
      const current = items.get(keyOf(user))?.factor;
      if (!current || current.writtenBy !== read.writtenBy) return false;
      items.set(keyOf(user), { user, factor: structuredClone({ ...current, authenticators, pending }) });
      return true;
    },
    all: () => [...items.values()].map(({ user }) => ({ user, factor: stored(user) })),
  };
}
