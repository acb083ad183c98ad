import { byService } from './events.ts';
import type { Factor } from './factor.ts';
import type { Keyring } from './ports.ts';
import { inForce, isOutdated, open, type Place, type Sealed, seal, waiting } from './sealed.ts';
import type { Transition } from './transition.ts';
import { secretsResealed } from './transitions.ts';
import type { User } from './user.ts';

/** The keys a record uses, of either kind. */
export function keysOf(factor: Factor): { data: string[]; backupCode: string[] } {
  const sealed = [...factor.authenticators, ...(factor.pending ? [factor.pending] : [])];
  return {
    data: sealed.map(({ secret }) => secret.keyId),
    // A ticket of a reset is digested under one too: without the key its user could not enroll.
    backupCode: [factor.backupCodes, factor.reset?.ticket].flatMap((digested) => digested?.keyId ?? []),
  };
}

/**
 * Reseals every readable secret under the active data key, in the newest box version. Returns undefined if nothing changes.
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
  const current = await keyring.current('data', now);
  const again = async <A extends { secret: Sealed }>(authenticator: A, place: Place): Promise<A> => {
    const { secret } = authenticator;
    if (!isOutdated(secret, current)) return authenticator;
    const key = await keyring.key('data', secret.keyId, now);
    const plain = key && open(secret, user, place, key);
    return plain ? { ...authenticator, secret: seal(plain, user, place, current) } : authenticator;
  };
  const authenticators = await Promise.all(factor.authenticators.map((one) => again(one, inForce(one))));
  const pending = factor.pending && (await again(factor.pending, waiting(factor.pending, factor)));
  const changed =
    pending !== factor.pending || authenticators.some((one, index) => one !== factor.authenticators[index]);
  return changed ? secretsResealed(factor, { authenticators, pending }, byService(now)) : undefined;
}
