import type { BackupCodes } from './factor.ts';
import type { DataKey } from './ports.ts';
import { randomId } from './random.ts';
import { digestOf, newCode, sameDigest } from './recovery-code.ts';
import { typedRecoveryCode } from './typed-code.ts';
import type { User } from './user.ts';

const COUNT = 10;

/**
 * Ten new codes, as `xxxx-xxxx-xxxx-xxxx` for the user to keep, and what is stored of them: keyed digests, of no use
 * without the key.
 */
export function newBackupCodes(user: User, key: DataKey): { codes: string[]; stored: BackupCodes } {
  const codes = Array.from({ length: COUNT }, newCode);
  const set = randomId();
  const digests = codes.map((code) => digestOf('backup-code', typedRecoveryCode(code), user, set, key));
  return { codes, stored: { set, keyId: key.id, digests } };
}

/**
 * Returns the set without this code, or undefined if it is not in it. Compares every digest, in constant time.
 *
 * @param code as `typedRecoveryCode` returns it
 */
export function consumeCode(
  code: string,
  user: User,
  stored: BackupCodes,
  key: DataKey,
): BackupCodes | undefined {
  const digest = digestOf('backup-code', code, user, stored.set, key);
  const others = stored.digests.filter((kept) => !sameDigest(kept, digest));
  return others.length < stored.digests.length ? { ...stored, digests: others } : undefined;
}
