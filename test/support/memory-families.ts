import type { Families } from '../../core/ports.ts';

/** Refresh families in memory: nothing of a family is known before its first use. */
export function createMemoryFamilies(): Families {
  const next = new Map<string, number | 'ended'>();
  return {
    async advance(family, sequence) {
      if ((next.get(family) ?? 0) === sequence) {
        next.set(family, sequence + 1);
        return true;
      }
      next.set(family, 'ended');
      return false;
    },
    end: async (family) => void next.set(family, 'ended'),
    isEnded: async (family) => next.get(family) === 'ended',
  };
}
