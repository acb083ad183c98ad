import fc from 'fast-check';
import type { Factor } from '../../core/factor.ts';
import { anyText } from './any-text.ts';

const plain = { noNullPrototype: true } as const;
const record = <T>(model: { [Member in keyof T]: fc.Arbitrary<T[Member]> }) => fc.record<T>(model, plain);

const id = fc.stringMatching(/^[\w-]{16}$/);
const time = fc.integer({ min: 1, max: 9_999_999_999 });
const bytes = (minLength: number, maxLength = minLength) => fc.uint8Array({ minLength, maxLength });
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

const secret = {
  kind: fc.constant('totp' as const),
  id,
  name: anyText({ minLength: 1, maxLength: 16 }),
  secret: record({ keyId: id, box: bytes(1, 60) }),
  algorithm: fc.constantFrom('SHA1' as const, 'SHA256' as const, 'SHA512' as const),
  digits: fc.constantFrom(6 as const, 8 as const),
  period: fc.integer({ min: 15, max: 120 }),
};

/** Any stored factor, with every member set. A new member does not compile until it is listed here. */
export const anyFactor: fc.Arbitrary<{ [Member in keyof Required<Factor>]: Factor[Member] }> = record({
  generation: fc.oneof(id, fc.constant('')),
  changedAt: fc.oneof(time, fc.constant(0)),
  provenBy: maybe(anyText({ maxLength: 40 })),
  authenticators: fc.array(record({ ...secret, lastStep: time, createdAt: time, lastUsedAt: time }), {
    maxLength: 5,
  }),
  pending: maybe(record({ ...secret, expiresAt: time, failures: fc.nat(4) })),
  backupCodes: maybe(
    record({
      set: id,
      keyId: id,
      digests: fc.uniqueArray(bytes(16), { maxLength: 10, selector: (digest) => digest.join() }),
    }),
  ),
  failures: fc.nat(100),
  backupFailures: fc.nat(100),
  stoppedAt: maybe(time),
  lockedUntil: fc.oneof(time, fc.constant(0)),
  recentFailures: fc.array(record({ span: fc.nat(9999), count: fc.integer({ min: 1, max: 300 }) }), {
    maxLength: 6,
  }),
  answered: fc.dictionary(id, time, { maxKeys: 20, ...plain }),
  event: maybe(
    fc.record(
      {
        type: fc.constantFrom('login.succeeded', 'step_up.refused', 'sessions.revoked', 'accepted'),
        at: time,
        method: fc.constantFrom('totp', 'backup_code', 'enrollment_ticket'),
      },
      { ...plain, requiredKeys: ['type', 'at'] },
    ),
  ),
  askedToEnrollAt: maybe(time),
  reset: maybe(
    fc.oneof(
      record({ passwordAfter: time, ticket: fc.constant(undefined) }),
      record({
        passwordAfter: fc.constant(undefined),
        ticket: record({ id, keyId: id, digest: bytes(16), expiresAt: time }),
      }),
    ),
  ),
  passwordSetAt: maybe(time),
  revoked: maybe(record({ type: fc.constant('sessions.revoked' as const), at: time, by: id })),
  administered: maybe(
    fc.record(
      {
        type: fc.constantFrom(
          'account.unlocked' as const,
          'admin.reset' as const,
          'sessions.revoked' as const,
        ),
        at: time,
        by: anyText({ minLength: 1, maxLength: 60 }),
        reason: anyText({ minLength: 1, maxLength: 60 }),
        passwordChanged: fc.constant(true as const),
      },
      { ...plain, requiredKeys: ['type', 'at', 'by'] },
    ),
  ),
  writtenBy: id,
});
