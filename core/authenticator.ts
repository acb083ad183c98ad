/** An authenticator in force, whatever its kind. */
export interface AuthenticatorBase {
  id: string;
  name: string;
  createdAt: number;
  lastUsedAt: number;
}

/** An authenticator of any kind that was shown but not proved yet. */
export interface PendingBase {
  id: string;
  name: string;
  expiresAt: number;
  /** Wrong answers at its confirmation. */
  failures: number;
}
