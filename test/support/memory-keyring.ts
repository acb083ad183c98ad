import { createSecretKey, randomBytes } from 'node:crypto';
import { unavailable } from '../../core/error.ts';
import { activeKey, type RotatingKey } from '../../core/key-rotation.ts';
import type { Keyring, SecretKind } from '../../core/ports.ts';
import type { DataKey } from '../../core/sealed.ts';

/** Returns a keyring in memory. It starts with one key of each kind. */
export function createMemoryKeyring(): Keyring & {
  /**
   * Adds a key that is active from that time. By default it is newer than every other, and active at once.
   */
  rotate(kind: SecretKind, activeFrom?: number): DataKey;
  forget(kind: SecretKind, id: string): void;
  keys(kind: SecretKind): RotatingKey[];
} {
  const rings: Record<SecretKind, (DataKey & RotatingKey)[]> = { data: [], 'backup-code': [] };
  let made = 0;
  const rotate = (kind: SecretKind, activeFrom = made) => {
    const key = { id: `${kind}-${made++}`, key: createSecretKey(randomBytes(32)), activeFrom };
    rings[kind].push(key);
    return key;
  };
  rotate('data');
  rotate('backup-code');
  return {
    async current(kind, now) {
      const key = activeKey(rings[kind], now);
      if (!key) throw unavailable();
      return key;
    },
    key: async (kind, id) => rings[kind].find((key) => key.id === id),
    rotate,
    forget: (kind, id) => {
      rings[kind] = rings[kind].filter((key) => key.id !== id);
    },
    keys: (kind) => rings[kind].map(({ id, activeFrom }) => ({ id, activeFrom })),
  };
}
