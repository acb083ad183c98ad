import { noted } from './attempt.ts';
import { CountersignError } from './error.ts';
import { type Factor, isEnabled } from './factor.ts';
import type { Records } from './ports.ts';
import type { Settings } from './settings.ts';
import type { User } from './user.ts';

const DAY = 86_400;

/**
 * Whether this user has to enrol before anything else. Where days are given they count from the first sign-in that found
 * no second factor, which is written down once.
 *
 * @throws CountersignError `temporarily_unavailable`
 */
export async function enrollmentRequired(
  { records, settings }: { records: Records; settings: Settings },
  user: User,
  now: number,
): Promise<boolean> {
  const { enrollment } = settings;
  if (enrollment === 'optional') return false;
  const factor = await records.read(user);
  if (isEnabled(factor)) return false;
  if ('requiredAfter' in enrollment) return now * 1000 >= Date.parse(enrollment.requiredAfter);
  const askedAt = factor.askedToEnrollAt ?? (await askToEnroll(records, user, factor, now));
  return now >= askedAt + enrollment.requiredAfterDays * DAY;
}

/** Where something else was written meanwhile, the next sign-in writes it down. */
async function askToEnroll(records: Records, user: User, factor: Factor, now: number): Promise<number> {
  await records.replace(user, factor, noted({ ...factor, askedToEnrollAt: now }, 'asked_to_enroll', now));
  return now;
}

/**
 * A temporary password is replaced without any custom challenge, and tokens would follow on the password alone: somebody
 * with a second factor signs in again, with both.
 *
 * @throws CountersignError `recent_sign_in_required`, whose text Cognito shows to the client; `temporarily_unavailable`
 */
export async function refuseAfterNewPassword({ records }: { records: Records }, user: User): Promise<void> {
  if (!isEnabled(await records.read(user))) return;
  throw new CountersignError('recent_sign_in_required', 'The new password is set. Sign in again with it.');
}
