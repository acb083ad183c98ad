import { generateKeyPairSync } from 'node:crypto';
import type { PublicSigningKeys } from '../../adapters/keyring.ts';
import type { SigningKeys } from '../../core/ports.ts';

/** Returns signing keys with one RSA key pair, created for this run. */
export function createSigningKeys(id = 'signing-0'): SigningKeys & PublicSigningKeys {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    current: async () => ({ id, privateKey }),
    all: async () => [{ id, publicKey }],
    find: async (wanted) => (wanted === id ? publicKey : undefined),
  };
}
