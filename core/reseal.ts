import { byService } from './events.ts';
import type { Factor } from './factor.ts';
import { dataKeysOf, reseal, resealPending } from './kinds.ts';
import type { Keyring } from './ports.ts';
import type { Transition } from './transition.ts';
import { secretsResealed } from './transitions.ts';
import type { User } from './user.ts';

/** The keys a record uses, of either kind. */
export function keysOf(factor: Factor): { data: string[]; backupCode: string[] } {
  const sealed = [...factor.authenticators, ...(factor.pending ? [factor.pending] : [])];
  return {
    data: sealed.flatMap((one) => dataKeysOf(one)),
    // A ticket of a reset is digested under one too: without the key its user could not enroll.
    backupCode: [factor.backupCodes, factor.reset?.ticket].flatMap((digested) => digested?.keyId ?? []),
  };
}

/**
 * Reseals every readable secret under the active data key. Returns undefined if nothing changes.
 * Digests of backup codes and tickets cannot be renewed without the codes, so their keys stay until the digests go.
 *
 * @throws CountersignError `temporarily_unavailable`
 */
export async function resealed(
  keyring: Keyring,
  user: User,
  factor: Factor,
  now: number,
): Promise<Transition | undefined> {
  const { generation } = factor;
  const authenticators = await Promise.all(
    factor.authenticators.map((one) => reseal(keyring, user, one, now)),
  );
  const { pending: old } = factor;
  const pending = old && (await resealPending(keyring, user, old, { generation, now }));
  const changed =
    pending !== old || authenticators.some((one, index) => one !== factor.authenticators[index]);
  return changed ? secretsResealed(factor, { authenticators, pending }, byService(now)) : undefined;
}
