import type { EnrollmentTicket } from './factor.ts';
import type { DataKey } from './ports.ts';
import { randomId } from './random.ts';
import { digestOf, newCode, sameDigest } from './recovery-code.ts';
import { typedRecoveryCode } from './typed-code.ts';
import type { User } from './user.ts';

/**
 * A new ticket for a user whose second factor was reset, and what is stored of it: a keyed digest. With the password it
 * stands in for the second factor until the next authenticator is confirmed. It is shown once.
 */
export function newTicket(
  user: User,
  key: DataKey,
  expiresAt: number,
): { ticket: string; stored: EnrollmentTicket } {
  const ticket = newCode();
  const id = randomId();
  const digest = digestOf('enrollment-ticket', typedRecoveryCode(ticket), user, id, key);
  return { ticket, stored: { id, keyId: key.id, digest, expiresAt } };
}

/**
 * Whether this is the ticket. The caller looks at its time.
 *
 * @param code as `typedRecoveryCode` returns it
 */
export function isTicket(code: string, user: User, stored: EnrollmentTicket, key: DataKey): boolean {
  return sameDigest(digestOf('enrollment-ticket', code, user, stored.id, key), stored.digest);
}
