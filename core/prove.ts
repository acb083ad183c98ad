import { consumeCode } from './backup-codes.ts';
import { isTicket } from './enrollment-ticket.ts';
import { unavailable } from './error.ts';
import type { Factor } from './factor.ts';
import type { KindServices } from './kind.ts';
import { forgiveFailures } from './limits.ts';
import type { Proof, Proven } from './proof.ts';
import { totp } from './totp/kind.ts';
import type { User } from './user.ts';

/**
 * Checks a proof and uses it up: a code counts once, a backup code is gone, and the failures in a row of that kind are
 * forgiven (NIST SP 800-63B-4 §3.2.2: those of the authenticator that was used). A ticket stays until an authenticator is
 * confirmed.
 *
 * @returns undefined if the proof is wrong or was used before: the two look alike from here on
 * @throws CountersignError `temporarily_unavailable` if nothing can be compared
 */
export function prove(
  services: KindServices,
  user: User,
  factor: Factor,
  proof: Proof,
  now: number,
): Promise<Proven | undefined> {
  if ('code' in proof) return proveCode(services, user, factor, proof.code, now);
  return 'backupCode' in proof
    ? proveBackupCode(services, user, factor, proof.backupCode, now)
    : proveTicket(services, user, factor, proof.enrollmentTicket, now);
}

async function proveCode(
  services: KindServices,
  user: User,
  factor: Factor,
  code: string,
  now: number,
): Promise<Proven | undefined> {
  const apps = factor.authenticators.filter((one) => one.kind === 'totp');
  const proven = await totp.prove(services, user, apps, code, now);
  if (!proven) return undefined;
  const authenticators = factor.authenticators.map((one) => proven.after.get(one) ?? one);
  return {
    factor: forgiveFailures({ ...factor, authenticators }),
    proved: { method: 'totp', authenticatorIds: proven.used },
  };
}

async function proveBackupCode(
  { keyring }: KindServices,
  user: User,
  factor: Factor,
  code: string,
  now: number,
): Promise<Proven | undefined> {
  if (!factor.backupCodes) return undefined;
  const key = await keyring.key('backup-code', factor.backupCodes.keyId, now);
  if (!key) throw unavailable();
  const remaining = consumeCode(code, user, factor.backupCodes, key);
  return (
    remaining && {
      factor: { ...factor, backupCodes: remaining, backupFailures: 0 },
      proved: { method: 'backup_code', backupCodesRemaining: remaining.digests.length },
    }
  );
}

async function proveTicket(
  { keyring }: KindServices,
  user: User,
  factor: Factor,
  typed: string,
  now: number,
): Promise<Proven | undefined> {
  const ticket = factor.reset?.ticket;
  if (!ticket || ticket.expiresAt <= now) return undefined;
  const key = await keyring.key('backup-code', ticket.keyId, now);
  if (!key) throw unavailable();
  if (!isTicket(typed, user, ticket, key)) return undefined;
  return { factor: { ...factor, backupFailures: 0 }, proved: { method: 'enrollment_ticket' } };
}
