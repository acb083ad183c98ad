import { consumeCode } from './backup-codes.ts';
import { isTicket } from './enrollment-ticket.ts';
import { unavailable } from './error.ts';
import type { Authenticator, Factor } from './factor.ts';
import { forgiveFailures } from './limits.ts';
import type { Keyring } from './ports.ts';
import type { Proof, Proven } from './proof.ts';
import { inForce, isOutdated, open, seal } from './sealed.ts';
import type { Settings } from './settings.ts';
import { matchingSteps } from './totp.ts';
import type { User } from './user.ts';

interface Proving {
  keyring: Keyring;
  settings: Settings;
}

/**
 * Checks a proof and uses it up: its time step is spent or its backup code gone, and the failures in a row of that kind are
 * forgiven (NIST SP 800-63B-4 §3.2.2: those of the authenticator that was used). A ticket stays until an authenticator is
 * confirmed.
 *
 * @returns undefined if the proof is wrong or was used before: the two look alike from here on
 * @throws CountersignError `temporarily_unavailable` if nothing can be compared
 */
export function prove(
  proving: Proving,
  user: User,
  factor: Factor,
  proof: Proof,
  now: number,
): Promise<Proven | undefined> {
  if ('code' in proof) return proveCode(proving, user, factor, proof.code, now);
  return 'backupCode' in proof
    ? proveBackupCode(proving, user, factor, proof.backupCode, now)
    : proveTicket(proving, user, factor, proof.enrollmentTicket, now);
}

async function proveCode(
  { keyring, settings }: Proving,
  user: User,
  factor: Factor,
  code: string,
  now: number,
): Promise<Proven | undefined> {
  const current = await keyring.current('data', now);
  const secrets = await Promise.all(
    factor.authenticators.map(async (authenticator) => {
      const key = await keyring.key('data', authenticator.secret.keyId, now);
      return key && open(authenticator.secret, user, inForce(authenticator), key);
    }),
  );
  // One unreadable authenticator does not block the others; with none readable nothing can be compared.
  if (secrets.every((secret) => secret === undefined)) throw unavailable();

  const matches = factor.authenticators.map((authenticator, index) => {
    const secret = secrets[index];
    return secret ? matchingSteps(code, secret, authenticator, settings.totp.window, now) : [];
  });
  if (matches.every((steps) => steps.length === 0)) return undefined;

  // RFC 6238 §5.2: a code is accepted once. A step at or before the last accepted one is spent, over all paths.
  const spent = factor.authenticators.some(({ lastStep }, index) =>
    (matches[index] ?? []).some((step) => step <= lastStep),
  );
  if (spent) return undefined;

  const authenticators = factor.authenticators.map((authenticator, index): Authenticator => {
    const secret = secrets[index];
    const old = isOutdated(authenticator.secret, current);
    // Keys rotate by use: this write is made anyway.
    const sealed = secret && old ? seal(secret, user, inForce(authenticator), current) : authenticator.secret;
    const highest = matches[index]?.at(-1);
    return highest === undefined
      ? { ...authenticator, secret: sealed }
      : { ...authenticator, secret: sealed, lastStep: highest, lastUsedAt: now };
  });
  const used = factor.authenticators.filter((_, index) => (matches[index] ?? []).length > 0);
  return {
    factor: forgiveFailures({ ...factor, authenticators }),
    proved: { method: 'totp', authenticatorIds: used.map(({ id }) => id) },
  };
}

async function proveBackupCode(
  { keyring }: Proving,
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
  { keyring }: Proving,
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
