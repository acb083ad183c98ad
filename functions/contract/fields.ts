import * as v from 'valibot';
import { BACKUP_CODE, CODE, LONGEST_TYPED, typedCode, typedRecoveryCode } from '../../core/typed-code.ts';

/** The fields of the API's bodies. Their messages say what is allowed and never quote what was sent. */

/** A code as somebody typed it. */
const typed = v.pipe(v.string(), v.maxLength(LONGEST_TYPED, `at most ${LONGEST_TYPED} characters`));

export const code = v.pipe(typed, v.transform(typedCode), v.regex(CODE, 'six or eight digits'));
export const backupCode = v.pipe(
  typed,
  v.transform(typedRecoveryCode),
  v.regex(BACKUP_CODE, 'sixteen letters and digits, with or without dashes'),
);
export const token = v.pipe(
  v.string(),
  v.minLength(1, 'not empty'),
  v.maxLength(4096, 'at most 4096 characters'),
);
export const id = v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/, 'an id as this service gave it'));

/** A user name or a password: anything that is text, as long as Cognito takes it. */
export const credential = (most: number) =>
  v.pipe(
    v.string(),
    v.minLength(1, 'not empty'),
    v.maxLength(most, `at most ${most} characters`),
    v.check((value) => value.isWellFormed(), 'well-formed text'),
  );

/** Half of a surrogate pair is no text: nothing that stores or draws it would take it (RFC 8259 §8.2). */
const printable = v.regex(/^[^\p{Cc}\p{Cs}]*$/u, 'no control characters');

export const authenticatorName = v.pipe(
  v.string(),
  v.trim(),
  v.minLength(1, 'not empty'),
  v.maxBytes(64, 'at most 64 bytes'),
  printable,
);

export const username = credential(128);
export const password = credential(256);

/** Why an administrator acts, in their own words. The record keeps it. */
export const reason = v.pipe(
  v.string(),
  v.trim(),
  v.minLength(1, 'not empty'),
  v.maxBytes(200, 'at most 200 bytes'),
  printable,
);

/** Whether support has seen to a new password. */
export const passwordChanged = v.boolean();

/** The fields of a body that prove the second factor. */
export const proofFields = { code: v.optional(code), backupCode: v.optional(backupCode) };

/** The same where a ticket may stand in for it, after a reset. It has the form of a backup code. */
export const signInFields = { ...proofFields, enrollmentTicket: v.optional(backupCode) };

/** These fields after parsing. */
export interface ProofFields {
  code?: string | undefined;
  backupCode?: string | undefined;
  enrollmentTicket?: string | undefined;
}

const proofsIn = ({ code, backupCode, enrollmentTicket }: ProofFields) =>
  [code, backupCode, enrollmentTicket].filter((proof) => proof !== undefined).length;

export const atMostOne = <Body extends ProofFields>() =>
  v.check<Body, string>(
    (body) => proofsIn(body) <= 1,
    'at most one of code, backupCode and enrollmentTicket',
  );

/** @param fields those of the body, for the message */
export const exactlyOne = <Body extends ProofFields>(fields = 'code and backupCode') =>
  v.check<Body, string>((body) => proofsIn(body) === 1, `exactly one of ${fields}`);
