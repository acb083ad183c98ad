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
 * The body schema of each operation, built from the same fields as the functions' schemas. The functions read
 * their environment on import, so their own schemas cannot be imported. The fuzzer shows that both agree: the
 * service accepts or refuses every body as these schemas do.
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

/** Whether an operation's body may be omitted. */
export const bodyIsOptional = (operation: Operation) => operation.startsWith('admin-');
