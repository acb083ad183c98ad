import * as v from 'valibot';
import { reason } from '../../adapters/admin-endpoint.ts';
import {
  atMostOne,
  authenticatorName,
  backupCode,
  code,
  credential,
  exactlyOne,
  id,
  proofFields,
  signInFields,
  token,
} from '../../adapters/fields.ts';
import type { Operation } from '../../functions/routes.ts';

export const username = credential(128);
export const password = credential(256);
export const passwordChanged = v.boolean();
export const why = reason.wrapped;

/**
 * What each operation takes, of the fields that the functions take theirs from. The functions read their environment when
 * they are imported, so their own schemas are not; the fuzzer itself shows that these are the same: for every body, what is
 * said here of it is what the service answers.
 */
export const bodies = {
  login: v.strictObject({ username, password }),
  'verify-login': v.pipe(v.strictObject({ challengeToken: token, ...signInFields }), exactlyOne()),
  refresh: v.strictObject({ refreshToken: token }),
  logout: v.strictObject({ refreshToken: token }),
  enroll: v.pipe(
    v.strictObject({
      name: v.optional(authenticatorName),
      password: v.optional(password),
      ...signInFields,
    }),
    atMostOne(),
  ),
  confirm: v.strictObject({ authenticatorId: id, code }),
  verify: v.pipe(v.strictObject(proofFields), exactlyOne()),
  disable: v.pipe(v.strictObject({ authenticatorId: v.optional(id), ...proofFields }), exactlyOne()),
  'rotate-backup-codes': v.strictObject({ code }),
  'admin-unlock': v.strictObject({ reason, passwordChanged: v.optional(passwordChanged) }),
  'admin-reset': v.strictObject({ reason }),
  'admin-revoke-sessions': v.strictObject({ reason }),
} satisfies Partial<Record<Operation, v.GenericSchema>>;

export { authenticatorName, backupCode, code, id, token };

/** Whose body may be left out. */
export const bodyIsOptional = (operation: Operation) => operation.startsWith('admin-');
