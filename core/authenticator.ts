/** What every authenticator in force has, whatever its kind. */
export interface AuthenticatorBase {
  id: string;
  name: string;
  createdAt: number;
  lastUsedAt: number;
}

/** What every authenticator has that was shown, but of which no proof was seen yet. */
export interface PendingBase {
  id: string;
  name: string;
  expiresAt: number;
  /** Wrong answers at its confirmation. */
  failures: number;
}
