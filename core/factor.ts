import type { PendingTotp, Totp } from './totp/data.ts';

/** An authenticator in force: a union by `kind`. Only its own folder knows what it holds besides `AuthenticatorBase`. */
export type Authenticator = Totp;

/** An authenticator that waits to be confirmed. */
export type PendingAuthenticator = PendingTotp;

export interface BackupCodes {
  /** Every set has an id of its own: a code of an older set never matches. */
  set: string;
  /** The key under which the digests were made. */
  keyId: string;
  digests: Uint8Array[];
}

/** The proof that a reset requires before the next enrollment, besides the old password. */
export interface Reset {
  /** The password has to be newer than this. Undefined if a ticket is wanted instead. */
  passwordAfter?: number | undefined;
  ticket?: EnrollmentTicket | undefined;
}

/** The stored form of an enrollment ticket: see enrollment-ticket.ts. */
export interface EnrollmentTicket {
  id: string;
  /** The key under which the digest was made. */
  keyId: string;
  digest: Uint8Array;
  expiresAt: number;
}

/** An administrator's act. */
export interface Administered {
  type: 'account.unlocked' | 'admin.reset' | 'sessions.revoked';
  at: number;
  /** The ARN of the caller, as IAM or CloudTrail names it. */
  by: string;
  /** In the administrator's own words. */
  reason?: string | undefined;
  /** Whether they lifted a stop on their word that the user has a new password. */
  passwordChanged?: true | undefined;
}

/**
 * The last event and its time, for support. The type is that of a `FactorEvent`, or what a former version called it.
 * It is shown, and nothing is decided by it.
 */
export interface LastEvent {
  type: string;
  at: number;
  /** How somebody proved it, or failed to. */
  method?: string;
}

/**
 * Everything about one user's second factor; one DynamoDB item. Operations are functions from one factor to the next,
 * and the next is written only if nothing was written since this one was read.
 */
export interface Factor {
  /** Replaced by every change of the second factor; a token of another generation is void. Empty before the first. */
  generation: string;
  /** When the generation had last been replaced, at the latest; 0 before the first time. */
  changedAt: number;
  /** The session of another issuer that proved the last change (`origin_jti`): it alone outlives it. */
  provenBy?: string | undefined;
  authenticators: Authenticator[];
  pending?: PendingAuthenticator | undefined;
  backupCodes?: BackupCodes | undefined;
  /** Wrong codes in a row. */
  failures: number;
  /** When the failures reached a stop, which stays until it is lifted; undefined if there is none. */
  stoppedAt?: number | undefined;
  /** Wrong backup codes and tickets in a row, up to a hundred: they lock nothing. */
  backupFailures: number;
  lockedUntil: number;
  /** Wrong codes by spans of days, newest last: see limits.ts. */
  recentFailures: { span: number; count: number }[];
  /** Challenge ids already answered, until they expire. */
  answered: Record<string, number>;
  event?: LastEvent | undefined;
  /** Set by an administrator's reset, until the next authenticator is confirmed. */
  reset?: Reset | undefined;
  /** When the password was last a new one, as the pool said it or support did (`adminUnlock`). */
  passwordSetAt?: number | undefined;
  /** The last reset or unlock. */
  administered?: Administered | undefined;
  /** The last end of all sessions. */
  revoked?: Administered | undefined;
  /** When this user was first seen without a second factor where one will be required. */
  askedToEnrollAt?: number | undefined;
  /** The random id of the write that made this state. */
  writtenBy?: string | undefined;
}

/** The state of a user of whom nothing is stored. */
export const noFactor: Factor = {
  generation: '',
  changedAt: 0,
  authenticators: [],
  failures: 0,
  backupFailures: 0,
  lockedUntil: 0,
  recentFailures: [],
  answered: {},
};

export function isEnabled(factor: Factor): boolean {
  return factor.authenticators.length > 0;
}

export function backupCodesRemaining(factor: Factor): number {
  return factor.backupCodes?.digests.length ?? 0;
}
