import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { random } from './random.ts';
import { lengthPrefixed, type User } from './user.ts';

/** A TOTP secret under authenticated encryption: version, nonce, ciphertext, tag. */
export interface Sealed {
  keyId: string;
  box: Uint8Array;
}

/** A key of the keyring, wrapped once into a KeyObject: raw bytes are several times slower to use. */
export interface DataKey {
  id: string;
  key: KeyObject;
}

const VERSION = 1;
const NONCE = 12;
const TAG = 16;

/**
 * Seals the secret of one user's one authenticator: AES-256-GCM under a key derived for exactly this place.
 */
export function seal(secret: Uint8Array, user: User, authenticatorId: string, dataKey: DataKey): Sealed {
  const place = placeOf(user, authenticatorId, dataKey.id);
  const nonce = random(NONCE);
  const cipher = createCipheriv('aes-256-gcm', derivedKey(dataKey, place), nonce);
  cipher.setAAD(place);
  const ciphertext = Buffer.concat([cipher.update(secret), cipher.final()]);
  return {
    keyId: dataKey.id,
    box: Buffer.concat([Buffer.of(VERSION), nonce, ciphertext, cipher.getAuthTag()]),
  };
}

/**
 * The secret again, or undefined where the box was made for another place or was altered.
 */
export function open(
  { box }: Sealed,
  user: User,
  authenticatorId: string,
  dataKey: DataKey,
): Uint8Array | undefined {
  if (box[0] !== VERSION || box.length <= 1 + NONCE + TAG) return undefined;
  const place = placeOf(user, authenticatorId, dataKey.id);
  const decipher = createDecipheriv('aes-256-gcm', derivedKey(dataKey, place), box.subarray(1, 1 + NONCE), {
    authTagLength: TAG,
  });
  decipher.setAAD(place);
  decipher.setAuthTag(box.subarray(-TAG));
  try {
    return Buffer.concat([decipher.update(box.subarray(1 + NONCE, -TAG)), decipher.final()]);
  } catch {
    return undefined;
  }
}

/** Both the derivation and the associated data carry the place: a box moved elsewhere does not open. */
function placeOf(user: User, authenticatorId: string, keyId: string): Buffer {
  return lengthPrefixed(
    'countersign',
    `v${VERSION}`,
    'totp-secret',
    user.realm,
    user.sub,
    authenticatorId,
    keyId,
  );
}

function derivedKey({ key }: DataKey, place: Buffer): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', key, '', place, 32)));
}
