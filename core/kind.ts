import type { Authenticator, PendingAuthenticator } from './factor.ts';
import type { Keyring } from './ports.ts';
import type { Settings } from './settings.ts';
import type { User } from './user.ts';

export interface KindServices {
  keyring: Keyring;
  settings: Settings;
}

/** An enrollment that begins. */
export interface NewEnrollment {
  id: string;
  name: string;
  expiresAt: number;
  failures: 0;
}

/** The change that a proof makes. */
export interface KindProven {
  /** Authenticators as they are afterwards, by what they were. One that is not in it stays as it is. */
  after: Map<Authenticator, Authenticator>;
  /** The ids of those that were proved. */
  used: string[];
}

/**
 * The functions of a kind of authenticator. A new kind is a folder with these functions, a member of the unions in
 * factor.ts, its case in kinds.ts and prove.ts, and its item in adapters/.
 *
 * Every function throws `temporarily_unavailable` if it can compare nothing, and returns undefined for a wrong answer.
 */
export interface Kind<A extends Authenticator, P extends PendingAuthenticator, Answer, Shown> {
  /** Begins an enrollment. Returns what waits to be confirmed, and what its user is shown once. */
  enroll(
    services: KindServices,
    user: User,
    enrollment: NewEnrollment,
    context: { account: string; generation: string; now: number },
  ): Promise<{ pending: P; shown: Shown }>;

  /** Returns the authenticator that this answer puts in force. It is used up by that. */
  confirm(
    services: KindServices,
    user: User,
    pending: P,
    answer: Answer,
    context: { generation: string; now: number },
  ): Promise<A | undefined>;

  /** Checks an answer against a user's authenticators of this kind, and uses it up. An answer counts once. */
  prove(
    services: KindServices,
    user: User,
    authenticators: A[],
    answer: Answer,
    now: number,
  ): Promise<KindProven | undefined>;

  /** Seals again under the active key what is not sealed so. Returns the same object if nothing changes. */
  reseal(keyring: Keyring, user: User, authenticator: A, now: number): Promise<A>;
  resealPending(
    keyring: Keyring,
    user: User,
    pending: P,
    context: { generation: string; now: number },
  ): Promise<P>;

  /** The ids of the data keys without which it is lost. */
  dataKeys(authenticator: A | P): string[];
}
