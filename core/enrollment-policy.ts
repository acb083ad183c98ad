import { commit, conflict } from './commit.ts';
import { CountersignError } from './error.ts';
import { byService } from './events.ts';
import { type Factor, isEnabled } from './factor.ts';
import type { Records } from './ports.ts';
import type { Proof } from './proof.ts';
import type { Settings } from './settings.ts';
import { enrollmentRequested } from './transitions.ts';
import type { User } from './user.ts';

const DAY = 86_400;

/** The step that follows the right password. */
type AfterPassword = 'session' | 'second_factor' | 'enrollment_ticket' | 'new_password';

/**
 * A session, unless there is a second factor or an administrator has reset it. After a reset whoever knows the old password
 * could enroll first, so it needs the ticket that support hands over, or a password chosen since.
 */
export function afterPassword({ authenticators, reset, passwordSetAt = 0 }: Factor): AfterPassword {
  if (authenticators.length > 0) return 'second_factor';
  if (!reset) return 'session';
  if (reset.passwordAfter === undefined) return 'enrollment_ticket';
  return passwordSetAt > reset.passwordAfter ? 'session' : 'new_password';
}

/**
 * Refuses an answer of another kind than the challenge asks for, before anything is charged.
 *
 * @throws CountersignError `invalid_request`
 */
export function refuseUnlessAskedFor(factor: Factor, proof: Proof): void {
  const asked = afterPassword(factor) === 'enrollment_ticket';
  if ('enrollmentTicket' in proof === asked) return;
  const allowed = asked ? 'enrollmentTicket' : 'code or backupCode';
  throw new CountersignError('invalid_request', `This challenge is answered with ${allowed}.`);
}

/**
 * Whether this user has to enroll before anything else: after a reset, or by the configuration. If days are configured, they
 * count from the first sign-in that found no second factor.
 */
export function mustEnroll(factor: Factor, { enrollment }: Settings, now: number): boolean {
  if (isEnabled(factor)) return false;
  if (factor.reset) return true;
  if (enrollment === 'optional') return false;
  if ('requiredAfter' in enrollment) return now * 1000 >= Date.parse(enrollment.requiredAfter);
  // Another container's clock may be ahead of this one.
  const askedAt = Math.min(factor.askedToEnrollAt ?? now, now);
  return now >= askedAt + enrollment.requiredAfterDays * DAY;
}

/**
 * Returns `mustEnroll`, and records the first sign-in if days count from it. If another write came between, the next sign-in
 * records it.
 *
 * @throws CountersignError `temporarily_unavailable`
 */
export async function mustEnrollAtSignIn(
  { records, settings }: { records: Records; settings: Settings },
  user: User,
  factor: Factor,
  now: number,
): Promise<boolean> {
  const { enrollment } = settings;
  const counts = enrollment !== 'optional' && 'requiredAfterDays' in enrollment;
  if (counts && !isEnabled(factor) && factor.askedToEnrollAt === undefined) {
    const decide = (stored: Factor) => enrollmentRequested(stored, byService(now));
    await commit({ records }, user, factor, decide, conflict).catch(unlessConflict);
  }
  return mustEnroll(factor, settings, now);
}

function unlessConflict(error: unknown): void {
  if (!(error instanceof CountersignError) || error.code !== 'conflict') throw error;
}

/**
 * Refuses tokens after a temporary password was replaced, if a second factor or a ticket is to be proved: Cognito asks no
 * custom challenge there. The user signs in again, with both.
 *
 * @throws CountersignError `recent_sign_in_required`, whose text Cognito shows to the client
 */
export function refuseAfterNewPassword(factor: Factor): void {
  if (afterPassword(factor) === 'session') return;
  throw new CountersignError('recent_sign_in_required', 'The new password is set. Sign in again with it.');
}
