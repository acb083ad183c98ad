/** The most characters that are read as a code: spread out by spaces, a backup code still fits. */
export const LONGEST_TYPED = 64;

/** A code of an authenticator app, as `typedCode` returns it (RFC 6238 §1.2; RFC 4226 §5.3: six digits or more). */
export const CODE = /^(?:[0-9]{6}|[0-9]{8})$/;

/** A backup code or a ticket, as `typedRecoveryCode` returns it. */
export const BACKUP_CODE = /^[0-9a-z]{16}$/;

/**
 * The characters that people and their keyboards put around and between those of a code: white space of every kind, dashes of
 * every kind, characters that do not show (zero width, word joiner, soft hyphen, marks of direction), the minus signs, the hyphen bullet, and
 * the long vowel mark, which a Japanese keyboard types for a dash.
 */
const BETWEEN = /[\s\p{Pd}\p{Cf}\u2212\u2043\u02d7\u30fc]/gu;

/**
 * Returns what was typed as the code itself, without spaces and dashes, full-width characters as ASCII (NFKC). All ways in
 * read a code by this and nothing else, before anything is charged, so that one code is one code however it is typed.
 */
export function typedCode(typed: string): string {
  return typed.normalize('NFKC').replace(BETWEEN, '');
}

/**
 * Returns the one form of a backup code or a ticket, which its digest is made of: as `typedCode`, in the letters it was made of.
 * Crockford's base32 reads o as 0, i and l as 1.
 */
export function typedRecoveryCode(typed: string): string {
  return typedCode(typed).toLowerCase().replaceAll('o', '0').replace(/[il]/g, '1');
}
