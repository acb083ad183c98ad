import type { AuthenticatorBase, PendingBase } from '../authenticator.ts';

/** The parameters that an authenticator app and this service agreed on (RFC 6238 §4). */
export interface TotpParameters {
  algorithm: 'SHA1' | 'SHA256' | 'SHA512';
  digits: 6 | 8;
  /** Seconds per time step. */
  period: number;
}

/** A TOTP secret under authenticated encryption: version, nonce, ciphertext, tag. */
export interface Sealed {
  keyId: string;
  box: Uint8Array;
}

/** The part that every authenticator app has, pending or in force. */
export interface TotpSecret extends TotpParameters {
  kind: 'totp';
  secret: Sealed;
}

/** Its secret was shown, but no code of it was seen yet. */
export type PendingTotp = PendingBase & TotpSecret;

/** An authenticator app in force. */
export type Totp = AuthenticatorBase &
  TotpSecret & {
    /** The highest time step of which a code was accepted: no code of it or before it counts again. */
    lastStep: number;
  };
