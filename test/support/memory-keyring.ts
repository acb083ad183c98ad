import { createSecretKey, randomBytes } from 'node:crypto';
import { unavailable } from '../../core/error.ts';
import type { SecretKeyKind } from '../../core/key-kind.ts';
import { activeKey, type RotatingKey } from '../../core/key-rotation.ts';
import type { DataKey, Keyring } from '../../core/ports.ts';

/** Returns a keyring in memory. It starts with one key of each kind. */
export function createMemoryKeyring(): Keyring & {
  /** A new key, in use from that time on; by default newer than every other and in use at once. */
  rotate(kind: SecretKeyKind, activeFrom?: number): DataKey;
  forget(kind: SecretKeyKind, id: string): void;
  keys(kind: SecretKeyKind): RotatingKey[];
} {
  const rings: Record<SecretKeyKind, (DataKey & RotatingKey)[]> = { data: [], 'backup-code': [] };
  let made = 0;
  const rotate = (kind: SecretKeyKind, activeFrom = made) => {
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
