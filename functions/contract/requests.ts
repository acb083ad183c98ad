import * as v from 'valibot';
import type { Operation } from '../routes.ts';
import {
  atMostOne,
  authenticatorName,
  code,
  exactlyOne,
  id,
  password,
  passwordChanged,
  proofFields,
  reason,
  signInFields,
  token,
  username,
} from './fields.ts';

/** The body of each operation that takes one. */
export const requests = {
  login: v.strictObject({ username, password }),
  'verify-login': v.pipe(
    v.strictObject({ challengeToken: token, ...signInFields }),
    exactlyOne('code, backupCode and enrollmentTicket'),
  ),
  refresh: v.strictObject({ refreshToken: token }),
  logout: v.strictObject({ refreshToken: token }),
  enroll: v.pipe(
    v.strictObject({
      name: v.optional(authenticatorName, 'Authenticator app'),
      password: v.optional(password),
      ...signInFields,
    }),
    atMostOne(),
  ),
  confirm: v.strictObject({ authenticatorId: id, code }),
  verify: v.pipe(v.strictObject(proofFields), exactlyOne()),
  disable: v.pipe(v.strictObject({ authenticatorId: v.optional(id), ...proofFields }), exactlyOne()),
  'rotate-backup-codes': v.strictObject({ code }),
  'admin-unlock': v.strictObject({
    reason: v.optional(reason),
    passwordChanged: v.optional(passwordChanged, false),
  }),
  'admin-reset': v.strictObject({ reason: v.optional(reason) }),
  'admin-revoke-sessions': v.strictObject({ reason: v.optional(reason) }),
} as const satisfies Partial<Record<Operation, v.GenericSchema>>;

/** Whether the body may be left out: an administrator's may. */
export const mayBeAbsent = (operation: Operation): boolean => operation.startsWith('admin-');
