import type { Kind } from '../kind.ts';
import type { Keyring } from '../ports.ts';
import type { User } from '../user.ts';
import type { PendingTotp, Sealed, Totp } from './data.ts';
import { confirm, enroll, type ShownTotp } from './enroll.ts';
import { prove } from './prove.ts';
import { inForce, isOutdated, open, type Place, seal, waiting } from './sealed.ts';

/** Authenticator apps (RFC 6238). They answer with a code. */
export const totp: Kind<Totp, PendingTotp, string, ShownTotp> = {
  enroll,
  confirm,
  prove,
  reseal: (keyring, user, authenticator, now) =>
    resealAt(inForce(authenticator), keyring, user, authenticator, now),
  resealPending: (keyring, user, pending, { generation, now }) =>
    resealAt(waiting(pending, { generation }), keyring, user, pending, now),
  dataKeys: ({ secret }) => [secret.keyId],
};

/** Seals in the newest box version under the active key. A secret that does not open stays as it is. */
async function resealAt<A extends { secret: Sealed }>(
  place: Place,
  keyring: Keyring,
  user: User,
  authenticator: A,
  now: number,
): Promise<A> {
  const { secret } = authenticator;
  const current = await keyring.current('data', now);
  if (!isOutdated(secret, current)) return authenticator;
  const key = await keyring.key('data', secret.keyId, now);
  const plain = key && open(secret, user, place, key);
  return plain ? { ...authenticator, secret: seal(plain, user, place, current) } : authenticator;
}
