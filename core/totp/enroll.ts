import { unavailable } from '../error.ts';
import type { KindServices, NewEnrollment } from '../kind.ts';
import type { User } from '../user.ts';
import { base32Of, matchingSteps, newSecret, otpauthUri } from './algorithm.ts';
import type { PendingTotp, Totp } from './data.ts';
import { inForce, open, seal, waiting } from './sealed.ts';

/** Shown to the user once. */
export interface ShownTotp {
  /** Base32, 160 bits: for typing where a QR code cannot be scanned. */
  secret: string;
  otpauthUri: string;
}

/** Makes a secret, and seals it as one that waits. */
export async function enroll(
  { keyring, settings }: KindServices,
  user: User,
  enrollment: NewEnrollment,
  { account, generation, now }: { account: string; generation: string; now: number },
): Promise<{ pending: PendingTotp; shown: ShownTotp }> {
  const { issuer, algorithm, digits, period } = settings.totp;
  const parameters = { algorithm, digits, period };
  const secret = newSecret();
  const place = waiting({ ...enrollment, ...parameters }, { generation });
  const sealed = seal(secret, user, place, await keyring.current('data', now));
  return {
    pending: { ...enrollment, ...parameters, kind: 'totp', secret: sealed },
    shown: { secret: base32Of(secret), otpauthUri: otpauthUri(issuer, account, secret, parameters) },
  };
}

/** Puts a secret in force for a code of it. */
export async function confirm(
  { keyring, settings }: KindServices,
  user: User,
  pending: PendingTotp,
  code: string,
  { generation, now }: { generation: string; now: number },
): Promise<Totp | undefined> {
  const { expiresAt: _, failures: __, ...enrolled } = pending;
  const dataKey = await keyring.key('data', pending.secret.keyId, now);
  const secret = dataKey && open(pending.secret, user, waiting(pending, { generation }), dataKey);
  if (!secret) throw unavailable();
  const step = matchingSteps(code, secret, pending, settings.totp.window, now).at(-1);
  if (step === undefined) return undefined;
  return {
    ...enrolled,
    // Resealed: a secret sealed as pending does not open in force.
    secret: seal(secret, user, inForce(enrolled), await keyring.current('data', now)),
    // The code that confirms is spent: it does not sign in.
    lastStep: step,
    createdAt: now,
    lastUsedAt: now,
  };
}
