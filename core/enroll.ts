import { attemptProof } from './attempt.ts';
import type { Caller } from './claims.ts';
import { commit, conflict } from './commit.ts';
import { afterPassword } from './enrollment-policy.ts';
import { CountersignError } from './error.ts';
import { byUser } from './events.ts';
import { type Factor, isEnabled } from './factor.ts';
import type { Families, FirstFactor, Services, SignInSource } from './ports.ts';
import type { Proof } from './proof.ts';
import { randomId } from './random.ts';
import { readCurrent } from './session.ts';
import type { Settings } from './settings.ts';
import type { ShownTotp } from './totp/enroll.ts';
import { totp } from './totp/kind.ts';
import { enrollmentStarted } from './transitions.ts';

export interface Enrollment extends ShownTotp {
  authenticatorId: string;
  /** Seconds since the epoch. */
  expiresAt: number;
}

/** The proof a caller sends: a code or a backup code; for the first authenticator the password, and after a reset the ticket. */
interface Evidence {
  caller: Caller;
  proof: Proof | undefined;
  password?: string | undefined;
  /** The origin of the password. */
  source?: SignInSource | undefined;
  now: number;
}

/**
 * Begins adding an authenticator and shows its secret once. The secret is pending until a code confirms it; enrolled
 * authenticators stay in force. The first one requires a recent session that has not ended, and for an own session the
 * password. A further one requires a code.
 *
 * @throws CountersignError `token_invalid`, `recent_sign_in_required`, `insufficient_scope`, `invalid_request`,
 * `authenticator_limit`, `conflict`, what the first factor refuses with, and what `attempt` throws
 */
export async function enroll(
  services: Omit<Services, 'tokens'> & { families: Families; firstFactor: FirstFactor },
  input: Evidence & { name: string; client: string },
): Promise<Enrollment> {
  const { caller, name, client, now } = input;
  const { user } = caller;
  const { settings } = services;
  const factor = await readCurrent(services, caller);
  if (factor.authenticators.length >= settings.totp.authenticators)
    throw new CountersignError('authenticator_limit');

  const begun = {
    id: randomId(),
    name,
    expiresAt: now + settings.lifetimes.enrollment,
    failures: 0,
  } as const;
  const { account } = caller;
  const { generation } = factor;
  const { pending, shown } = await totp.enroll(services, user, begun, { account, generation, now });

  const needed = proofNeeded(factor, input);
  if (!isEnabled(factor)) await refuseUnlessMayEnrollFirst(services, input);
  const context = byUser(client, now);
  if (needed) {
    await attemptProof(
      services,
      user,
      factor,
      { attempted: 'enrollment', proof: needed },
      (proven) => enrollmentStarted(proven.factor, pending, proven.proved, context),
      context,
    );
  } else {
    const decide = (stored: Factor) => enrollmentStarted(stored, pending, undefined, context);
    await commit(services, user, factor, decide, conflict);
  }
  return { authenticatorId: pending.id, ...shown, expiresAt: pending.expiresAt };
}

/**
 * Returns the proof that a further authenticator needs, or one after a reset; undefined if none is needed.
 *
 * @throws CountersignError `invalid_request`, `not_enrolled`, `enrollment_ticket_required`, `new_password_required`
 */
function proofNeeded(factor: Factor, { proof, password }: Evidence): Proof | undefined {
  const byTicket = proof !== undefined && 'enrollmentTicket' in proof;
  switch (afterPassword(factor)) {
    case 'second_factor':
      if (password !== undefined) throw noPassword('once there is a second factor.');
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
      if (proof) throw new CountersignError('not_enrolled');
      return undefined;
  }
}

/** The pending authenticator of that id, while it waits. */
export function pendingOf(factor: Factor, authenticatorId: string, now: number) {
  const { pending } = factor;
  return pending?.id === authenticatorId && pending.expiresAt > now ? pending : undefined;
}

/** Guards the first authenticator: an access token alone, kept or stolen, must not be enough to add it. */
async function refuseUnlessMayEnrollFirst(
  services: { families: Families; firstFactor: FirstFactor; settings: Settings },
  { caller, password, source, now }: Evidence,
): Promise<void> {
  const own = caller.generation !== undefined;
  if (!own && password !== undefined) throw noPassword("with another issuer's token.");
  await refuseUnlessFresh(services, caller, now);
  if (own) await refuseUnlessPassword(services, caller, password, source);
}

/**
 * Refuses a session that is old or has ended. An own session ends with its refresh family, a pool session when Cognito
 * says so. Other issuers' sessions have `auth_time` only.
 *
 * @throws CountersignError `recent_sign_in_required` (RFC 9470 §3), `token_invalid`, `insufficient_scope`,
 * `temporarily_unavailable`
 */
export async function refuseUnlessFresh(
  { families, settings }: { families: Families; settings: Settings },
  { authTime, generation, sid, isSignedIn }: Caller,
  now: number,
): Promise<void> {
  const own = generation !== undefined;
  const recent = now - authTime <= settings.lifetimes.recentSignIn;
  // An own token without a session is a step-up's, or from before tokens named theirs.
  if (!recent || (own && sid === undefined)) throw new CountersignError('recent_sign_in_required');
  const ended = sid === undefined ? (await isSignedIn?.()) === false : await families.isEnded(sid);
  if (ended) throw new CountersignError('token_invalid');
}

/** Requires the password of the token's user. Cognito counts wrong ones, as at login. */
async function refuseUnlessPassword(
  { firstFactor, settings }: { firstFactor: FirstFactor; settings: Settings },
  { user, account }: Caller,
  password: string | undefined,
  source: SignInSource | undefined,
): Promise<void> {
  if (password === undefined) throw new CountersignError('invalid_request', 'password is required.');
  const { sub } = await firstFactor.check(account, password, source);
  if (sub !== user.sub || user.realm !== settings.realm) throw new CountersignError('invalid_credentials');
}

function noPassword(when: string): CountersignError {
  return new CountersignError('invalid_request', `password is not taken ${when}`);
}
