import type { Families } from '../../core/ports.ts';

/** Returns refresh families in memory. A family is not stored before its first use. */
export function createMemoryFamilies(): Families {
  const known = new Map<string, { next: number; advancedAt: number; graceUsed: boolean } | 'ended'>();
  return {
    async advance(family, sequence, { now, grace }) {
      const at = known.get(family) ?? { next: 0, advancedAt: Number.NEGATIVE_INFINITY, graceUsed: true };
      if (at === 'ended') return false;
      if (at.next === sequence) {
        known.set(family, { next: sequence + 1, advancedAt: now, graceUsed: false });
        return true;
      }
      const near = grace > 0 && Math.abs(now - at.advancedAt) <= grace;
      if (at.next === sequence + 1 && near && !at.graceUsed) {
        known.set(family, { ...at, graceUsed: true });
        return true;
      }
      known.set(family, 'ended');
      return false;
    },
    end: async (family) => void known.set(family, 'ended'),
    isEnded: async (family) => known.get(family) === 'ended',
  };
}
