import * as v from 'valibot';
import {
  atMostOne,
  authenticatorName,
  backupCode,
  code,
  credential,
  exactlyOne,
  id,
  proofFields,
  token,
} from '../../adapters/fields.ts';
import type { Operation } from '../../functions/routes.ts';

export const username = credential(128);
export const password = credential(256);

/**
 * What each operation takes, of the fields that the functions take theirs from. The functions read their environment when
 * they are imported, so their own schemas are not; the fuzzer itself shows that these are the same: for every body, what is
 * said here of it is what the service answers.
 */
export const bodies = {
  login: v.strictObject({ username, password }),
  'verify-login': v.pipe(v.strictObject({ challengeToken: token, ...proofFields }), exactlyOne()),
  refresh: v.strictObject({ refreshToken: token }),
  logout: v.strictObject({ refreshToken: token }),
  enroll: v.pipe(
    v.strictObject({
      name: v.optional(authenticatorName),
      password: v.optional(password),
      ...proofFields,
    }),
    atMostOne(),
  ),
  confirm: v.strictObject({ authenticatorId: id, code }),
  verify: v.pipe(v.strictObject(proofFields), exactlyOne()),
  disable: v.pipe(v.strictObject({ authenticatorId: v.optional(id), ...proofFields }), exactlyOne()),
  'rotate-backup-codes': v.strictObject({ code }),
} satisfies Partial<Record<Operation, v.GenericSchema>>;

export { authenticatorName, backupCode, code, id, token };
