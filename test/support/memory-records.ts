import { type Factor, noFactor } from '../../core/factor.ts';
import type { Records } from '../../core/ports.ts';
import type { User } from '../../core/user.ts';

/** Records in memory: compare-and-set on the whole state, as the port promises it. */
export function createMemoryRecords(): Records & { put(user: User, factor: Factor): void } {
  const items = new Map<string, Factor>();
  let writes = 0;
  const keyOf = ({ realm, sub }: User) => JSON.stringify([realm, sub]);
  const stored = (user: User) => structuredClone(items.get(keyOf(user)) ?? noFactor);
  const put = (user: User, factor: Factor) =>
    void items.set(keyOf(user), { ...structuredClone(factor), writtenBy: `write-${++writes}` });
  return {
    read: async (user) => stored(user),
    async replace(user, read, next) {
      if (stored(user).writtenBy !== read.writtenBy) return { written: false, stored: stored(user) };
      put(user, next);
      return { written: true };
    },
    put,
  };
}
