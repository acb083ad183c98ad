import type { Authenticator, Factor } from './factor.ts';

/** A caller's proof of the second factor, or of the ticket that stands in for it after a reset. */
export type Proof = { code: string } | { backupCode: string } | { enrollmentTicket: string };

/** A kind of authenticator, or what stands in for one. */
export type Method = Authenticator['kind'] | 'backup_code' | 'enrollment_ticket';

/** How somebody proved it. `authenticatorIds`: whose code it was; two may show the same. */
export type Proved =
  | { method: Authenticator['kind']; authenticatorIds: string[] }
  | { method: 'backup_code'; backupCodesRemaining: number }
  | { method: 'enrollment_ticket' };

/** A proof that was right and unused, and the factor in which it is used up. */
export interface Proven {
  factor: Factor;
  proved: Proved;
}

export function methodOf(proof: Proof): Method {
  if ('code' in proof) return 'totp';
  return 'backupCode' in proof ? 'backup_code' : 'enrollment_ticket';
}
