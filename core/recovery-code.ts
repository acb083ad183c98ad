import { createHmac, timingSafeEqual } from 'node:crypto';
import type { DataKey } from './ports.ts';
import { random } from './random.ts';
import { lengthPrefixed, type User } from './user.ts';

/** Crockford's base32: no letter that reads as a digit. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
/** 16 characters are 80 random bits. */
const LENGTH = 16;
/** HMAC-SHA-256 truncated to 128 bits (RFC 2104 §5: no less than half). */
const DIGEST_BYTES = 16;

/** The use of a code. It is part of the digest: a digest copied to another place matches nothing there. */
type Use = 'backup-code' | 'enrollment-ticket';

/** Returns a random code as a person keeps it, `xxxx-xxxx-xxxx-xxxx`. It is shown once. */
export function newCode(): string {
  // 32 letters: the low five bits of a random byte choose one without bias.
  const letters = Array.from(random(LENGTH), (byte) => ALPHABET[byte & 31]).join('');
  return letters.replace(/.{4}(?=.)/g, '$&-');
}

/**
 * Returns the stored form of a code. Without the key, which only KMS unwraps, nobody can test or plant one.
 *
 * @param code as `typedRecoveryCode` returns it
 * @param set the id of what it belongs to: a code of an older set never matches
 */
export function digestOf(use: Use, code: string, user: User, set: string, key: DataKey): Uint8Array {
  return createHmac('sha256', key.key)
    .update(lengthPrefixed('countersign', 'v1', use, user.realm, user.sub, set, key.id, code))
    .digest()
    .subarray(0, DIGEST_BYTES);
}

/** Compares in constant time. */
export function sameDigest(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
