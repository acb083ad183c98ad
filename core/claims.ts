import type { User } from './user.ts';

/** The factors that this session saw (RFC 8176). */
export type AuthenticationMethod = 'pwd' | 'otp' | 'mfa';

/** The claims that every kind of token has. Times are NumericDates: whole seconds. */
interface CommonClaims {
  /** The issuer's `sub`; in tokens `subjectOf` replaces it. */
  sub: string;
  realm: string;
  /** The name the user signed in with: the account label in authenticator apps. */
  username: string;
  /** The client whose API key was used. */
  client_id: string;
  jti: string;
  iat: number;
  exp: number;
  /** When somebody last proved who they are; refreshing does not renew it (OpenID Connect Core §2). */
  auth_time: number;
  amr: AuthenticationMethod[];
  /** The factor's generation, as read at the sign-in. */
  gen: string;
}

/** The claims of an access token (RFC 9068 §2.2). */
export interface AccessClaims extends CommonClaims {
  /** `urn:countersign:1fa` or `urn:countersign:2fa` (RFC 9068 §2.2.1). */
  acr: string;
  /** The refresh family of the session behind it (a session's id as in OpenID Connect Front-Channel Logout §3). */
  sid?: string | undefined;
  /** The other issuer's session that stepped up, as its own tokens name it. */
  origin_jti?: string | undefined;
  /** Whether the session can do nothing but enroll. */
  enrollment_required?: boolean | undefined;
}

/** The claims of a challenge. Its `jti` is spent when it is answered. */
export type ChallengeClaims = CommonClaims;

/** The claims of a refresh token. */
export interface RefreshClaims extends CommonClaims {
  /** The refresh family. */
  family: string;
  /** The token's place in its family. */
  sequence: number;
}

/** The claims of each kind of token. */
export interface ClaimsByKind {
  access: AccessClaims;
  challenge: ChallengeClaims;
  refresh: RefreshClaims;
}

/** Each kind has a `typ` and an audience of its own and is useless in the place of another (RFC 8725 §3.11, §3.12). */
export type TokenKind = keyof ClaimsByKind;

/** Somebody with a valid access token, of this service or of a trusted issuer. */
export interface Caller {
  user: User;
  /** How the account is labelled in an authenticator app. */
  account: string;
  authTime: number;
  amr: AuthenticationMethod[];
  /** The generation an own token carries; undefined for another issuer's. */
  generation: string | undefined;
  /** The refresh family of an own session. */
  sid?: string | undefined;
  /** The other issuer's session (Cognito's `origin_jti`), of a step-up's token too. */
  session?: string | undefined;
  /** Whether an own token says that its session can do nothing but enroll. */
  enrollmentRequired?: boolean | undefined;
  /**
   * Asks Cognito whether this pool token's session is still active. It is a function so that no log holds the token.
   *
   * @throws CountersignError `insufficient_scope`, `temporarily_unavailable`
   */
  isSignedIn?: (() => Promise<boolean>) | undefined;
}

/**
 * Adds the second factor to what a session saw. Of another issuer's session the first factor was not seen here, so `mfa` is
 * not claimed: the code alone is.
 */
export function withSecondFactor(amr: AuthenticationMethod[]): AuthenticationMethod[] {
  return amr.includes('pwd') ? ['pwd', 'otp', 'mfa'] : ['otp'];
}

/** `urn:countersign:2fa` says that the second factor was proved. */
export function acrOf(amr: AuthenticationMethod[]): string {
  return amr.includes('otp') ? 'urn:countersign:2fa' : 'urn:countersign:1fa';
}
