import type { Proof } from '../core/proof.ts';
import type { ProofFields } from '../functions/contract/fields.ts';

/** Returns the proof in a body; undefined if it has none. */
export function optionalProofOf({ code, backupCode, enrollmentTicket }: ProofFields): Proof | undefined {
  if (code !== undefined) return { code };
  if (backupCode !== undefined) return { backupCode };
  return enrollmentTicket === undefined ? undefined : { enrollmentTicket };
}

/** Returns the proof in a body that `exactlyOne` has checked. */
export function proofOf(body: ProofFields): Proof {
  const proof = optionalProofOf(body);
  if (!proof) throw new TypeError('proofOf is for bodies that exactlyOne has checked.');
  return proof;
}
