import { withoutFailures } from './attempt.ts';
import { withoutCode } from './backup-codes.ts';
import { isTicket } from './enrollment-ticket.ts';
import { unavailable } from './error.ts';
import type { Authenticator, Factor } from './factor.ts';
import type { Keyring } from './ports.ts';
import { inForce, isOutdated, open, seal } from './sealed.ts';
import type { Settings } from './settings.ts';
import { matchingSteps } from './totp.ts';
import type { User } from './user.ts';

/** What a caller presents as the second factor, or in its place after a reset. */
export type Proof = { code: string } | { backupCode: string } | { enrollmentTicket: string };
export type Method = 'totp' | 'backup_code' | 'enrollment_ticket';

export function methodOf(proof: Proof): Method {
  if ('code' in proof) return 'totp';
  return 'backupCode' in proof ? 'backup_code' : 'enrollment_ticket';
}

interface Judging {
  keyring: Keyring;
  settings: Settings;
}

/**
 * The factor after this proof: its time step spent or its backup code gone, and the failures in a row of that kind
 * forgotten (NIST SP 800-63B-4 §3.2.2: those of the authenticator that was used). A ticket stays until an authenticator is
 * confirmed. Undefined where the proof is wrong or was used before: the two look alike from here on.
 */
export async function prove(
  judging: Judging,
  user: User,
  factor: Factor,
  proof: Proof,
  now: number,
): Promise<Factor | undefined> {
  if ('code' in proof) {
    const proven = await proveCode(judging, user, factor, proof.code, now);
    return proven && withoutFailures(proven);
  }
  const proven =
    'backupCode' in proof
      ? await proveBackupCode(judging, user, factor, proof.backupCode, now)
      : await proveTicket(judging, user, factor, proof.enrollmentTicket, now);
  return proven && { ...proven, backupFailures: 0 };
}

async function proveCode(
  { keyring, settings }: Judging,
  user: User,
  factor: Factor,
  code: string,
  now: number,
): Promise<Factor | undefined> {
  const current = await keyring.current('data', now);
  const secrets = await Promise.all(
    factor.authenticators.map(async (authenticator) => {
      const key = await keyring.key('data', authenticator.secret.keyId, now);
      return key && open(authenticator.secret, user, inForce(authenticator), key);
    }),
  );
  // One unreadable authenticator does not block the others; with none readable nobody can be judged.
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
  return { ...factor, authenticators };
}

async function proveBackupCode(
  { keyring }: Judging,
  user: User,
  factor: Factor,
  code: string,
  now: number,
): Promise<Factor | undefined> {
  if (!factor.backupCodes) return undefined;
  const key = await keyring.key('backup-code', factor.backupCodes.keyId, now);
  if (!key) throw unavailable();
  const remaining = withoutCode(code, user, factor.backupCodes, key);
  return remaining && { ...factor, backupCodes: remaining };
}

async function proveTicket(
  { keyring }: Judging,
  user: User,
  factor: Factor,
  typed: string,
  now: number,
): Promise<Factor | undefined> {
  const ticket = factor.reset?.ticket;
  if (!ticket || ticket.expiresAt <= now) return undefined;
  const key = await keyring.key('backup-code', ticket.keyId, now);
  if (!key) throw unavailable();
  return isTicket(typed, user, ticket, key) ? factor : undefined;
}
