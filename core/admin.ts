import { accountReset, accountUnlocked, sessionsRevoked } from './admin-transitions.ts';
import { commit, conflict, retry } from './commit.ts';
import { afterPassword } from './enrollment-policy.ts';
import { newTicket } from './enrollment-ticket.ts';
import { CountersignError } from './error.ts';
import { type Administrator, byUser, type EventContext } from './events.ts';
import type { Administered, Factor, LastEvent, Reset } from './factor.ts';
import { isStopped, lockedFor } from './limits.ts';
import type { Keyring, PoolSessions, Records } from './ports.ts';
import type { Settings } from './settings.ts';
import { type Status, statusOf } from './status.ts';
import type { User } from './user.ts';

interface Administration {
  records: Records;
  settings: Settings;
  /** Absent where Cognito's sessions are left alone. */
  poolSessions?: PoolSessions | undefined;
}

/** An administrator's act: who, and why. */
export interface Act {
  /** The ARN of the caller, as IAM or CloudTrail names it. */
  by: string;
  reason?: string | undefined;
}

export interface AdminStatus extends Status {
  /** Wrong codes in a row. */
  failures: number;
  /** Wrong backup codes and tickets in a row. */
  backupFailures: number;
  /** Seconds since the epoch; null where there is no lock. */
  lockedUntil: number | null;
  /** Whether codes are stopped until support acts. Backup codes still count. */
  stopped: boolean;
  /** Seconds since the epoch; null unless codes are stopped. */
  stoppedAt: number | null;
  /** After a reset: the proof that the next enrollment needs besides the old password. Null otherwise. */
  enrollmentNeeds: 'ticket' | 'new_password' | null;
  /** Seconds since the epoch; null where no ticket is waiting. */
  ticketExpiresAt: number | null;
  lastEvent: LastEvent | null;
  /** The last reset or unlock: by whom, and why. */
  lastAdministered: Administered | null;
  /** The last end of all sessions: by whom, and why. */
  lastRevoked: Administered | null;
}

/**
 * Returns what support sees of a user's second factor.
 *
 * @throws CountersignError `user_not_found` where nothing is stored, `temporarily_unavailable`
 */
export async function adminStatus(
  { records, settings }: Administration,
  user: User,
  now: number,
): Promise<AdminStatus> {
  return adminStatusOf(known(await records.read(user)), settings, now);
}

/**
 * Lifts a lock, or a stop if the user has a new password. With the old one an attacker would stop the factor again. The pool
 * reports its users' new passwords; support vouches for others.
 *
 * @param passwordChanged whether support has seen to a new password
 * @throws CountersignError `user_not_found`, `new_password_required`, `conflict`, `temporarily_unavailable`
 */
export async function adminUnlock(
  { records, settings }: Administration,
  user: User,
  { passwordChanged, ...act }: Act & { passwordChanged: boolean },
  now: number,
): Promise<AdminStatus> {
  const factor = known(await records.read(user));
  const stopped = isStopped(factor, now, settings.limits);
  if (stopped && !passwordChanged && !passwordIsNewer(factor)) {
    throw new CountersignError(
      'new_password_required',
      'The factor is stopped: the user needs a new password first.',
    );
  }
  const decide = (stored: Factor) =>
    accountUnlocked(stored, { stopped, passwordChanged }, byAdministrator(act, now));
  const { next } = await commit({ records }, user, factor, decide, conflict);
  return adminStatusOf(next, settings, now);
}

function passwordIsNewer({ stoppedAt, passwordSetAt = 0 }: Factor): boolean {
  return stoppedAt !== undefined && passwordSetAt > stoppedAt;
}

type ResetAnswer = AdminStatus & {
  /** Shown once: support hands it to the user. Absent where a new password is wanted instead. */
  enrollmentTicket?: string;
};

/**
 * Removes the whole second factor, its failures and a stop included; every session ends. The old password alone enrolls
 * nobody after that: the user needs the ticket, or a new password where the configuration says so.
 *
 * @throws CountersignError `user_not_found`, `conflict`, `temporarily_unavailable`
 */
export async function adminReset(
  { records, settings, poolSessions, keyring }: Administration & { keyring: Keyring },
  user: User,
  act: Act,
  now: number,
): Promise<ResetAnswer> {
  // Passwords of other realms are unknown here, so their users always get a ticket.
  const byPassword = settings.afterReset === 'new_password' && user.realm === settings.realm;
  const issued = byPassword
    ? undefined
    : newTicket(user, await keyring.current('backup-code', now), now + settings.lifetimes.enrollmentTicket);
  const resetOf = ({ stoppedAt }: Factor): Reset =>
    issued ? { ticket: issued.stored } : { passwordAfter: stoppedAt ?? now };
  const decide = (stored: Factor) => accountReset(known(stored), byAdministrator(act, now), resetOf(stored));
  const { next } = await commit({ records }, user, await records.read(user), decide, retry);
  await poolSessions?.end(user);
  return { ...adminStatusOf(next, settings, now), ...(issued && { enrollmentTicket: issued.ticket }) };
}

/**
 * Erases the factor of a deleted user, who may never have had one.
 *
 * @throws CountersignError `conflict`, `temporarily_unavailable`
 */
export async function forgetFactor(records: Records, user: User, act: Act, now: number): Promise<void> {
  const decide = (stored: Factor) => accountReset(stored, byAdministrator(act, now));
  await commit({ records }, user, await records.read(user), decide, retry);
}

/**
 * Ends every session of a user, who may have no second factor. Own tokens die at once here; what other resource servers
 * accept lives until its `exp`.
 *
 * @throws CountersignError `conflict`, `temporarily_unavailable`
 */
export async function adminRevokeSessions(
  { records, poolSessions }: Omit<Administration, 'settings'>,
  user: User,
  act: Act,
  now: number,
): Promise<void> {
  await revokeSessions(records, user, { act }, now);
  await poolSessions?.end(user);
}

/**
 * Ends a user's own sessions after Cognito has ended its own.
 *
 * @param cause the administrator's act, if it was one, and when the password became a new one, if it did
 * @throws CountersignError `conflict`, `temporarily_unavailable`
 */
export async function revokeSessions(
  records: Records,
  user: User,
  { act, passwordSetAt }: { act?: Act | undefined; passwordSetAt?: number | undefined },
  now: number,
): Promise<void> {
  const context = act ? byAdministrator(act, now) : byUser(undefined, now);
  const decide = (stored: Factor) => sessionsRevoked(stored, passwordSetAt, context);
  await commit({ records }, user, await records.read(user), decide, retry);
}

function byAdministrator({ by, reason }: Act, at: number): EventContext<Administrator> {
  return { at, actor: { type: 'administrator', arn: by, reason } };
}

function known(factor: Factor): Factor {
  if (factor.writtenBy === undefined) throw new CountersignError('user_not_found');
  return factor;
}

const NEEDS = {
  session: null,
  second_factor: null,
  enrollment_ticket: 'ticket',
  new_password: 'new_password',
} as const;

function adminStatusOf(factor: Factor, settings: Settings, now: number): AdminStatus {
  const stopped = isStopped(factor, now, settings.limits);
  return {
    ...statusOf(factor),
    failures: factor.failures,
    backupFailures: factor.backupFailures,
    lockedUntil: lockedFor(factor, now) > 0 ? factor.lockedUntil : null,
    stopped,
    stoppedAt: stopped ? (factor.stoppedAt ?? null) : null,
    enrollmentNeeds: NEEDS[afterPassword(factor)],
    ticketExpiresAt: factor.reset?.ticket?.expiresAt ?? null,
    lastEvent: factor.event ?? null,
    lastAdministered: factor.administered ?? null,
    lastRevoked: factor.revoked ?? null,
  };
}
