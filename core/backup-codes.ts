import { createHmac, timingSafeEqual } from 'node:crypto';
import type { BackupCodes } from './factor.ts';
import { random, randomId } from './random.ts';
import type { DataKey } from './sealed.ts';
import { lengthPrefixed, type User } from './user.ts';

/** Crockford's base32: no letter that reads as a digit. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const COUNT = 10;
/** 16 characters are 80 random bits. */
const LENGTH = 16;
/** HMAC-SHA-256 truncated to 128 bits (RFC 2104 §5: no less than half). */
const DIGEST_BYTES = 16;

/**
 * Ten new codes, as `xxxx-xxxx-xxxx-xxxx` for the user to keep, and what is stored of them: keyed digests, of no use
 * without the key.
 */
export function newBackupCodes(user: User, key: DataKey): { codes: string[]; stored: BackupCodes } {
  const codes = Array.from({ length: COUNT }, newCode);
  const set = randomId();
  const digests = codes.map((code) => digestOf(code, user, set, key));
  return {
    codes: codes.map((code) => (code.match(/.{4}/g) ?? []).join('-')),
    stored: { set, keyId: key.id, digests },
  };
}

/**
 * The set without this code, or undefined where it is not in it. Every digest is compared, in constant time.
 *
 * @param code as `typedCode` returns it
 */
export function withoutCode(
  code: string,
  user: User,
  stored: BackupCodes,
  key: DataKey,
): BackupCodes | undefined {
  const digest = digestOf(readable(code), user, stored.set, key);
  const others = stored.digests.filter(
    (kept) => kept.length !== digest.length || !timingSafeEqual(kept, digest),
  );
  return others.length < stored.digests.length ? { ...stored, digests: others } : undefined;
}

function newCode(): string {
  // 32 letters: the low five bits of a random byte choose one without bias.
  return Array.from(random(LENGTH), (byte) => ALPHABET[byte & 31]).join('');
}

/** A code in the letters it was made of: Crockford reads o as 0, i and l as 1. */
function readable(code: string): string {
  return code.toLowerCase().replaceAll('o', '0').replace(/[il]/g, '1');
}

function digestOf(code: string, user: User, set: string, key: DataKey): Buffer {
  return createHmac('sha256', key.key)
    .update(lengthPrefixed('countersign', 'v1', 'backup-code', user.realm, user.sub, set, key.id, code))
    .digest()
    .subarray(0, DIGEST_BYTES);
}
