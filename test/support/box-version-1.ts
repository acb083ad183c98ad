import { createCipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { DataKey } from '../../core/ports.ts';
import type { Sealed } from '../../core/totp/data.ts';
import { lengthPrefixed, type User } from '../../core/user.ts';

/** Seals a secret as version 1 did: bound to user and authenticator, but not to whether it is pending. */
export function sealedByVersion1(
  secret: Uint8Array,
  { realm, sub }: User,
  authenticatorId: string,
  { id: keyId, key }: DataKey,
): Sealed {
  const bound = lengthPrefixed('countersign', 'v1', 'totp-secret', realm, sub, authenticatorId, keyId);
  const nonce = randomBytes(12);
  const cipher = createCipheriv(
    'aes-256-gcm',
    Buffer.from(hkdfSync('sha256', key, '', bound, 32)),
    nonce,
  ).setAAD(bound);
  const ciphertext = Buffer.concat([cipher.update(secret), cipher.final()]);
  return { keyId, box: Buffer.concat([Buffer.of(1), nonce, ciphertext, cipher.getAuthTag()]) };
}
