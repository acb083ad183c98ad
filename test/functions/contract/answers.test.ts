import assert from 'node:assert/strict';
import { test } from 'node:test';
import type * as v from 'valibot';
import type { adminReset, adminStatus, adminUnlock } from '../../../core/admin.ts';
import type { confirm } from '../../../core/confirm.ts';
import type { disable } from '../../../core/disable.ts';
import type { enroll } from '../../../core/enroll.ts';
import type { login } from '../../../core/login.ts';
import type { refresh } from '../../../core/refresh.ts';
import type { rotateBackupCodes } from '../../../core/rotate-backup-codes.ts';
import type { status } from '../../../core/status.ts';
import type { verify } from '../../../core/verify.ts';
import type { verifyLogin } from '../../../core/verify-login.ts';
import { answers, type problem } from '../../../functions/contract/answers.ts';
import type { Problem } from '../../../functions/contract/errors.ts';

/** What the core answers with. */
interface Given {
  login: Awaited<ReturnType<typeof login>>;
  'verify-login': Awaited<ReturnType<typeof verifyLogin>>;
  refresh: Awaited<ReturnType<typeof refresh>>;
  status: Awaited<ReturnType<typeof status>>;
  enroll: Awaited<ReturnType<typeof enroll>> & { qrSvg: string };
  confirm: Awaited<ReturnType<typeof confirm>>;
  verify: Awaited<ReturnType<typeof verify>>;
  disable: Awaited<ReturnType<typeof disable>>;
  'rotate-backup-codes': Awaited<ReturnType<typeof rotateBackupCodes>>;
  'admin-status': Awaited<ReturnType<typeof adminStatus>>;
  'admin-unlock': Awaited<ReturnType<typeof adminUnlock>>;
  'admin-reset': Awaited<ReturnType<typeof adminReset>>;
}

type BodyOf<O extends keyof Given> = v.InferOutput<(typeof answers)[O]['body']>;
type FieldsOf<T> = T extends unknown ? keyof T : never;
/** `true` if two types have the same fields, and each is assignable to the other. */
type Agree<A, B> = [A, FieldsOf<A>, B, FieldsOf<B>] extends [B, FieldsOf<B>, A, FieldsOf<A>] ? true : false;

/** Does not compile if a schema disagrees with what the core answers: the error names the operation. */
const agreement: { [O in keyof Given]: Agree<Given[O], BodyOf<O>> } & {
  problem: Agree<Omit<Problem, 'code'> & { code: string }, v.InferOutput<typeof problem>>;
} = {
  login: true,
  'verify-login': true,
  refresh: true,
  status: true,
  enroll: true,
  confirm: true,
  verify: true,
  disable: true,
  'rotate-backup-codes': true,
  'admin-status': true,
  'admin-unlock': true,
  'admin-reset': true,
  problem: true,
};

test('every answer with a body has a schema that agrees with the type of what the core returns', () => {
  const made = ['keys', 'discovery'];
  const withBody = Object.entries(answers).flatMap(([operation, answer]) =>
    'body' in answer && !made.includes(operation) ? [operation] : [],
  );
  assert.deepEqual([...withBody, 'problem'].sort(), Object.keys(agreement).sort());
});
