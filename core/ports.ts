import type { KeyObject } from 'node:crypto';
import type { ClaimsByKind, TokenKind } from './claims.ts';
import type { Factor } from './factor.ts';
import type { SecretKeyKind } from './key-kind.ts';
import type { Settings } from './settings.ts';
import type { User } from './user.ts';

/** Every method of every port throws CountersignError `temporarily_unavailable` where its dependency fails. */
export interface Records {
  /** Strongly consistent. `noFactor` only where the store said that there is no item. */
  read(user: User): Promise<Factor>;
  /**
   * Stores `next` if nothing has been written since `read` was read; otherwise says what is stored now. One
   * conditional write. If it is unknown whether ours was the write, that is a fault. With a new generation, when that
   * was (`changedAt`) is stored as of the latest end of the write.
   */
  replace(
    user: User,
    read: Factor,
    next: Factor,
  ): Promise<{ written: true } | { written: false; stored: Factor }>;
}

/** A key of the keyring, wrapped once into a KeyObject: raw bytes are several times slower to use. */
export interface DataKey {
  id: string;
  key: KeyObject;
}

export interface Keyring {
  /** The key to seal or digest with now. */
  current(kind: SecretKeyKind, now: number): Promise<DataKey>;
  /** A key that something was sealed or digested with; undefined where the keyring does not hold it. */
  key(kind: SecretKeyKind, id: string, now: number): Promise<DataKey | undefined>;
}

/** Keys that sign tokens, and their public halves. */
export interface SigningKeys {
  current(now: number): Promise<{ id: string; privateKey: KeyObject }>;
}

export interface Tokens {
  /** Returns once signing can no longer fail: awaited before any write that a token is to answer. */
  ready(now: number): Promise<void>;
  /** A compact JWS of that kind; `exp` and all else are in the claims. */
  sign<K extends TokenKind>(kind: K, claims: ClaimsByKind[K], now: number): Promise<string>;
  /** The claims of a valid token of exactly that kind, or undefined. */
  verify<K extends TokenKind>(kind: K, token: string, now: number): Promise<ClaimsByKind[K] | undefined>;
}

/** In whole seconds. */
export interface FamilyTimes {
  /** When the family's last token ends. */
  endsAt: number;
  now: number;
  /** The setting `lifetimes.refreshGrace`; 0 gives none. */
  grace: number;
}

export interface Families {
  /**
   * Takes a refresh family from `sequence` to the next. True for the first use. True for one more use at most `grace`
   * seconds later, while the family is still at that next sequence. False if the family has ended, and for any other use,
   * which ends it for good.
   */
  advance(family: string, sequence: number, times: FamilyTimes): Promise<boolean>;
  /** Ends a family, used or not yet used. */
  end(family: string, endsAt: number): Promise<void>;
  /** Whether it was ended, by a logout or a replay. Strongly consistent. One not used yet goes on. */
  isEnded(family: string): Promise<boolean>;
}

/** The origin of a password as API Gateway saw it, for the pool's threat protection. It is never logged. */
export interface SignInSource {
  address: string;
  host: string;
  path: string;
  userAgent: string | undefined;
}

export interface FirstFactor {
  /**
   * Returns the user with this name and password.
   *
   * @throws CountersignError `invalid_credentials` alike for an unknown user and a wrong password; a code of its own
   * for what only the right password leads to.
   */
  check(
    username: string,
    password: string,
    source?: SignInSource | undefined,
  ): Promise<{ sub: string; username: string }>;
}

/** The sessions of the user pool itself, where a change of the second factor is to end them too. */
export interface PoolSessions {
  /** False for a user of another realm, who has none there. */
  end(user: User): Promise<boolean>;
}

/** The services of every operation that takes a code. */
export interface Services {
  records: Records;
  keyring: Keyring;
  tokens: Tokens;
  settings: Settings;
  /** Absent where Cognito's sessions are left alone. */
  poolSessions?: PoolSessions | undefined;
}
