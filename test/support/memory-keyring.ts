import { createSecretKey, randomBytes } from 'node:crypto';
import { unavailable } from '../../core/error.ts';
import type { Keyring, SecretKind } from '../../core/ports.ts';
import type { DataKey } from '../../core/sealed.ts';

/** A keyring in memory, with one key of each kind to begin with. */
export function createMemoryKeyring(): Keyring & {
  /** A new key, current from now on. */
  rotate(kind: SecretKind): DataKey;
  forget(kind: SecretKind, id: string): void;
} {
  const rings: Record<SecretKind, DataKey[]> = { data: [], 'backup-code': [] };
  const rotate = (kind: SecretKind) => {
    const key = { id: `${kind}-${rings[kind].length}`, key: createSecretKey(randomBytes(32)) };
    rings[kind].push(key);
    return key;
  };
  rotate('data');
  rotate('backup-code');
  return {
    async current(kind) {
      const key = rings[kind].at(-1);
      if (!key) throw unavailable();
      return key;
    },
    key: async (kind, id) => rings[kind].find((key) => key.id === id),
    rotate,
    forget: (kind, id) => {
      rings[kind] = rings[kind].filter((key) => key.id !== id);
    },
  };
}
