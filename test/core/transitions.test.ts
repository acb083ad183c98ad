// Every change of a factor names one event, with what a listener wants to know of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { accountReset, accountUnlocked, sessionsRevoked } from '../../core/admin-transitions.ts';
import { byService, byUser } from '../../core/events.ts';
import { type Authenticator, type Factor, noFactor, type PendingAuthenticator } from '../../core/factor.ts';
import type { Proven } from '../../core/proof.ts';
import { Settings } from '../../core/settings.ts';
import {
  authenticatorAdded,
  authenticatorRemoved,
  backupCodesRotated,
  enrollmentRequested,
  enrollmentStarted,
  loginSucceeded,
  refused,
  stepUpSucceeded,
} from '../../core/transitions.ts';
import { NOW, SUPPORT } from '../support/deployment.ts';
import { pathNames, paths, withTwoApps } from '../support/paths.ts';
import { refusal } from '../support/refusal.ts';

const { limits } = v.parse(Settings, {});
const context = byUser('web', NOW);
const user = { at: NOW, actor: { type: 'user', client: 'web' } };
const support = { at: NOW, actor: { type: 'administrator', arn: SUPPORT, reason: 'case 7' } } as const;
const session = 'origin-jti';
const method = 'totp';

const parameters = { algorithm: 'SHA1', digits: 6, period: 30 } as const;
const sealed = {
  ...parameters,
  kind: 'totp' as const,
  name: 'Phone',
  secret: { keyId: 'k1', box: new Uint8Array(49) },
};
const authenticator = (id: string, createdAt = NOW - 300): Authenticator => ({
  ...sealed,
  id,
  lastStep: 1,
  createdAt,
  lastUsedAt: createdAt,
});
const pending: PendingAuthenticator = { ...sealed, id: 'new', expiresAt: NOW + 600, failures: 0 };
const backupCodes = { set: 's1', keyId: 'k2', digests: [] };
const factor: Factor = {
  ...noFactor,
  generation: 'g1',
  authenticators: [authenticator('one'), authenticator('two')],
  backupCodes,
  pending,
};
const proven: Proven = { factor, proved: { method, authenticatorIds: ['one'] } };

test('a login says how, over which way and by which client; the challenge is used up', () => {
  const challenge = { id: 'c1', expiresAt: NOW + 120 };
  for (const via of ['api', 'cognito'] as const) {
    const { next, event } = loginSucceeded(proven, { ...challenge, via }, context);
    assert.deepEqual(event, { type: 'login.succeeded', via, method, authenticatorIds: ['one'], ...user });
    assert.deepEqual(next.answered, { c1: NOW + 120 });
  }
});

test('a step-up is an event of its own; a backup code says how many are left', () => {
  const proved = { method: 'backup_code', backupCodesRemaining: 9 } as const;
  const { event } = stepUpSucceeded({ factor, proved }, context);
  assert.deepEqual(event, { type: 'step_up.succeeded', ...proved, ...user });
});

test('a refusal names what was attempted, and whether it locked or stopped codes', () => {
  const attempt = { attempted: 'login', method, budget: 'code' } as const;
  const after = (failures: number) => refused({ ...factor, failures }, attempt, limits, context)?.event;
  const event = { type: 'login.refused', method, ...user };
  assert.deepEqual(after(3), event);
  assert.deepEqual(after(4), { ...event, lockedUntil: NOW + 30 });
  assert.deepEqual(after(99), { ...event, lockedUntil: NOW + 900, stoppedAt: NOW });
  const uncounted = refused(
    { ...factor, backupFailures: 100 },
    { ...attempt, budget: 'recovery' },
    limits,
    context,
  );
  assert.equal(uncounted, undefined);
});

test('a refusal that changes neither lock nor stop tells of neither', () => {
  const stopped = { ...factor, failures: 100, lockedUntil: NOW + 9, stoppedAt: NOW - 9 };
  const attempt = { attempted: 'step_up', method: 'backup_code', budget: 'recovery' } as const;
  const { event } = refused(stopped, attempt, limits, context) ?? assert.fail();
  assert.deepEqual(event, { type: 'step_up.refused', method: 'backup_code', ...user });
});

test('an enrollment begins beside what is in force, and in the same generation', () => {
  const other = { ...pending, id: 'other' };
  const { next, event } = enrollmentStarted(factor, other, proven.proved, context);
  assert.deepEqual(next, { ...factor, pending: other });
  const { proved } = proven;
  assert.deepEqual(event, { type: 'enrollment.started', authenticatorId: 'other', ...proved, ...user });
  const first = enrollmentStarted(noFactor, other, undefined, context);
  assert.deepEqual(first.event, { type: 'enrollment.started', authenticatorId: 'other', ...user });
});

test('the first authenticator forgives failures and ends a reset, a further one forgives nothing', () => {
  const added = authenticator('new', NOW);
  const more = { backupCodes: undefined, method, session } as const;
  const failed = { ...factor, failures: 3, reset: { passwordAfter: NOW } };
  const event = { type: 'authenticator.added', method, authenticatorId: 'new', ...user };

  const first = authenticatorAdded(
    { ...failed, authenticators: [] },
    added,
    { ...more, backupCodes },
    context,
  );
  assert.deepEqual(first.event, { ...event, first: true });
  assert.deepEqual([first.next.failures, first.next.reset], [0, undefined]);

  const further = authenticatorAdded(failed, added, more, context);
  assert.deepEqual(further.event, { ...event, first: false });
  assert.deepEqual([further.next.failures, further.next.backupCodes], [3, backupCodes]);
});

test('a removal tells which authenticators went, and whether the last one did', () => {
  const removed = (authenticatorId: string | undefined) =>
    authenticatorRemoved(proven, { authenticatorId, session }, context);
  const event = { type: 'authenticator.removed', method, authenticatorIds: ['one'], ...user };
  const one = removed('two');
  assert.deepEqual(one.event, { ...event, removed: ['two'], last: false });
  assert.deepEqual([one.next.authenticators.length, one.next.backupCodes], [1, backupCodes]);
  const all = removed(undefined);
  assert.deepEqual(all.event, { ...event, removed: ['one', 'two'], last: true });
  assert.deepEqual([all.next.authenticators, all.next.backupCodes], [[], undefined]);
});

test('every change starts a new generation, ends a pending enrollment and keeps the session that proved it', () => {
  for (const { next } of [
    authenticatorAdded(factor, authenticator('new'), { backupCodes, method, session }, context),
    authenticatorRemoved(proven, { authenticatorId: 'two', session }, context),
    backupCodesRotated(proven, { backupCodes, session }, context),
  ]) {
    assert.notEqual(next.generation, 'g1');
    assert.deepEqual([next.pending, next.changedAt, next.provenBy], [undefined, NOW, session]);
  }
  for (const { next } of [accountReset(factor, support), sessionsRevoked(factor, undefined, support)]) {
    assert.notEqual(next.generation, 'g1');
    assert.deepEqual([next.pending, next.changedAt, next.provenBy], [undefined, NOW, undefined]);
  }
});

test('an administrator is named in the event and in the record', () => {
  const kept = { at: NOW, by: SUPPORT, reason: 'case 7' };

  const unlocked = accountUnlocked(factor, { stopped: true, passwordChanged: true }, support);
  assert.deepEqual(unlocked.event, {
    type: 'account.unlocked',
    stopped: true,
    passwordChanged: true,
    ...support,
  });
  const { administered, passwordSetAt } = unlocked.next;
  assert.deepEqual(administered, { type: 'account.unlocked', ...kept, passwordChanged: true });
  assert.equal(passwordSetAt, NOW);

  const reset = accountReset(factor, support, { passwordAfter: NOW });
  assert.deepEqual(reset.event, { type: 'admin.reset', removed: ['one', 'two'], ...support });
  assert.deepEqual(reset.next.administered, { type: 'admin.reset', ...kept });

  const revoked = sessionsRevoked(factor, undefined, support);
  assert.deepEqual(revoked.event, { type: 'sessions.revoked', passwordSetAt: undefined, ...support });
  assert.deepEqual(revoked.next.revoked, { type: 'sessions.revoked', ...kept });
});

test('a user who chose a new password is no administrator', () => {
  const { next, event } = sessionsRevoked(factor, NOW, context);
  assert.deepEqual(event, { type: 'sessions.revoked', passwordSetAt: NOW, ...user });
  assert.deepEqual([next.revoked, next.passwordSetAt], [undefined, NOW]);
});

test('the service asks for an enrollment by itself', () => {
  const { next, event } = enrollmentRequested(noFactor, byService(NOW));
  assert.deepEqual(event, { type: 'enrollment.requested', at: NOW, actor: { type: 'service' } });
  assert.equal(next.askedToEnrollAt, NOW);
});

const names = {
  'verify-login': ['login.succeeded', 'login.refused'],
  verify: ['step_up.succeeded', 'step_up.refused'],
  enroll: ['enrollment.started', 'enrollment.refused'],
  disable: ['authenticator.removed', 'removal.refused'],
  'rotate-backup-codes': ['backup_codes.rotated', 'rotation.refused'],
} as const;
for (const path of pathNames) {
  test(`${path} leaves its own event in the record, accepted or refused`, async () => {
    const [deployment, person] = await withTwoApps();
    const lastEvent = async () => (await deployment.records.read(person.caller.user)).event;
    const wrong = paths[path](deployment, person, { code: person.app.wrongCodeAt(NOW) }, NOW);
    await assert.rejects(wrong, refusal('code_rejected'));
    const [succeeded, failed] = names[path];
    assert.equal((await lastEvent())?.type, failed);
    await paths[path](deployment, person, { code: person.app.codeAt(NOW) }, NOW);
    assert.deepEqual(await lastEvent(), { type: succeeded, at: NOW, method });
  });
}
