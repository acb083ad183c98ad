import { attempt, noted, replaceOrConflict } from './attempt.ts';
import type { Caller } from './claims.ts';
import { afterPassword } from './enrollment-policy.ts';
import { CountersignError } from './error.ts';
import { type Factor, isEnabled } from './factor.ts';
import { budgetOf, refuseUnlessOpen } from './limits.ts';
import type { Services } from './ports.ts';
import { type Proof, prove } from './proof.ts';
import { randomId } from './random.ts';
import { seal, waiting } from './sealed.ts';
import { refuseUnlessCurrent } from './session.ts';
import type { Settings } from './settings.ts';
import { base32Of, newSecret, otpauthUri } from './totp.ts';

export interface Enrollment {
  authenticatorId: string;
  /** Base32, 160 bits: for typing where a QR code cannot be scanned. */
  secret: string;
  otpauthUri: string;
  /** Seconds since the epoch. */
  expiresAt: number;
}

/**
 * Begins adding an authenticator: a secret, shown once, pending until a code of it is confirmed. What is enrolled
 * already goes on as it was. The first authenticator wants a recent sign-in; a further one wants a code.
 *
 * @throws CountersignError `token_invalid`, `recent_sign_in_required`, `invalid_request`, `authenticator_limit`,
 * `conflict`, and what `attempt` throws
 */
export async function enroll(
  services: Omit<Services, 'tokens'>,
  input: { caller: Caller; name: string; proof: Proof | undefined; now: number },
): Promise<Enrollment> {
  const { caller, name, proof, now } = input;
  const { user } = caller;
  const { totp, lifetimes, limits } = services.settings;
  const factor = await services.records.read(user);
  refuseUnlessCurrent(caller, factor);
  if (factor.authenticators.length >= totp.authenticators) throw new CountersignError('authenticator_limit');

  const id = randomId();
  const secret = newSecret();
  const parameters = { algorithm: totp.algorithm, digits: totp.digits, period: totp.period };
  const enrolling = { id, name, ...parameters, expiresAt: now + lifetimes.enrollment };
  const dataKey = await services.keyring.current('data', now);
  const pending = { ...enrolling, secret: seal(secret, user, waiting(enrolling, factor), dataKey) };

  if (!isEnabled(factor)) {
    refuseUnlessRecent(caller, now, services.settings);
    refuseUnlessOpen(factor, 'code', now, limits);
  }
  const needed = proofNeeded(factor, proof);
  if (needed) {
    const judge = async () => {
      const proven = await prove(services, user, factor, needed, now);
      return proven && { ...proven, pending };
    };
    await attempt(services, user, factor, budgetOf(needed), judge, 'enrolling', now);
  } else {
    await replaceOrConflict(services.records, user, factor, noted({ ...factor, pending }, 'enrolling', now));
  }
  return {
    authenticatorId: id,
    secret: base32Of(secret),
    otpauthUri: otpauthUri(totp.issuer, caller.account, secret, parameters),
    expiresAt: pending.expiresAt,
  };
}

/**
 * What has to be proved before a further authenticator, or after a reset; undefined if nothing has to be.
 *
 * @throws CountersignError `invalid_request`, `totp_not_enabled`, `enrollment_ticket_required`, `new_password_required`
 */
function proofNeeded(factor: Factor, proof: Proof | undefined): Proof | undefined {
  const byTicket = proof !== undefined && 'enrollmentTicket' in proof;
  switch (afterPassword(factor)) {
    case 'second_factor':
      if (!proof || byTicket)
        throw new CountersignError('invalid_request', 'code or backupCode is required.');
      return proof;
    case 'enrollment_ticket':
      if (!byTicket) throw new CountersignError('enrollment_ticket_required');
      return proof;
    case 'new_password':
      throw new CountersignError('new_password_required');
    case 'session':
      if (byTicket) throw new CountersignError('invalid_request', 'enrollmentTicket is for after a reset.');
      if (proof) throw new CountersignError('totp_not_enabled');
      return undefined;
  }
}

/** The pending authenticator of that id, while it waits. */
export function pendingOf(factor: Factor, authenticatorId: string, now: number) {
  const { pending } = factor;
  return pending?.id === authenticatorId && pending.expiresAt > now ? pending : undefined;
}

/**
 * Without a second factor yet, a session alone decides: so it has to be a fresh one.
 *
 * @throws CountersignError `recent_sign_in_required` (RFC 9470 §3)
 */
export function refuseUnlessRecent(caller: Caller, now: number, { lifetimes }: Settings): void {
  if (now - caller.authTime > lifetimes.recentSignIn) throw new CountersignError('recent_sign_in_required');
}
