import { of } from './mutation.ts';

/** Mutations of codes, backup codes and tickets, and of the cost of a wrong one. */
export const codes = [
  ...of('core/attempt.ts', [
    {
      find: '  refuseUnlessOpen(read, budget, now, settings.limits);',
      replace: '',
      promise: 'a correct code counts while the factor is locked',
    },
    {
      find: 'if (!outcome.written) {',
      replace: 'if (false) {',
      promise: 'two concurrent uses of one code both count',
    },
    {
      find: '    refuseUnlessOpen(outcome.stored, budget, now, settings.limits);',
      replace: '',
      promise: 'a request that lost to the failure that locked does not report the lock',
    },
    {
      find: "  if (!accepted) throw new CountersignError('code_rejected');",
      replace: '',
      promise: 'a wrong code is accepted',
    },
    {
      find: 'answered: unexpired(next.answered, now)',
      replace: 'answered: next.answered',
      promise: 'the record grows with every answered challenge',
    },
    {
      find: 'expiresAt > now',
      replace: 'expiresAt < now',
      promise: 'an answered challenge is forgotten before it expires',
    },
    {
      find: "accepted ? event : 'refused'",
      replace: 'event',
      promise: 'the record says that a refused code was accepted',
    },
    {
      find: 'pending: undefined, generation: randomId()',
      replace: 'generation: randomId()',
      promise: 'a pending enrollment survives a change',
    },
    {
      find: 'generation: randomId(), ',
      replace: '',
      promise: 'sessions survive a change of the second factor',
    },
    {
      find: 'changedAt: now, provenBy',
      replace: 'provenBy',
      promise: "another issuer's sessions survive a change",
    },
    {
      find: 'changedAt: now, provenBy',
      replace: 'changedAt: now',
      promise: 'the session that proved an earlier change survives this one',
    },
    {
      find: 'failures: 0, lockedUntil: 0',
      replace: 'lockedUntil: 0',
      promise: 'a correct code does not reset the consecutive failures',
    },
    {
      find: "  if (!outcome.written) throw new CountersignError('conflict');",
      replace: '',
      promise: 'two concurrent enrollments both report success',
    },
  ]),
  ...of('core/limits.ts', [
    {
      find: 'const SPANS = 6;',
      replace: 'const SPANS = 5;',
      promise: 'failures are forgotten before 30 days have passed',
    },
    {
      find: 'span > spanOf(now) - SPANS',
      replace: 'span >= spanOf(now) - SPANS',
      promise: 'failures still count after 36 days',
    },
    {
      find: 'failures - limits.lockAfter;',
      replace: 'failures - limits.lockAfter - 1;',
      promise: 'the first lock comes one failure late',
    },
    {
      find: 'limits.lockSeconds * 2 ** doublings',
      replace: 'limits.lockSeconds',
      promise: 'locks do not get longer',
    },
    {
      find: 'Math.min(limits.lockSeconds * 2 ** doublings, limits.lockSecondsMost)',
      replace: 'limits.lockSeconds * 2 ** doublings',
      promise: 'locks get longer without a limit',
    },
    {
      find: 'count: entry.count + 1',
      replace: 'count: entry.count',
      promise: 'failures within 30 days are not counted',
    },
    {
      find: 'return isStopped(failed, now, limits) ? { ...failed, stoppedAt: now } : failed;',
      replace: 'return failed;',
      promise: 'the time of a stop is not stored, so no password counts as newer',
    },
    {
      find: 'factor.backupFailures >= MOST_BACKUP_FAILURES',
      replace: 'false',
      promise: 'a flood of wrong backup codes delays every other write',
    },
    {
      find: '    recentFailures: [],\n',
      replace: '',
      promise: "a reset keeps the failures of the last 30 days, which stop the user's new factor",
    },
    {
      find: '    stoppedAt: undefined,\n',
      replace: '',
      promise: 'a lifted stop keeps its time',
    },
    {
      find: '    backupFailures: 0,\n',
      replace: '',
      promise: 'a reset keeps the count of wrong backup codes',
    },
    {
      find: 'factor.failures >= limits.stopAfter',
      replace: 'factor.failures > limits.stopAfter',
      promise: 'a hundred consecutive failures do not stop codes',
    },
    {
      find: ' || recent >= limits.stopWithin30Days',
      replace: '',
      promise: 'guesses with successes in between are never stopped',
    },
    {
      find: 'recent >= limits.stopWithin30Days',
      replace: 'recent > limits.stopWithin30Days',
      promise: 'the 30-day stop comes one failure late',
    },
    {
      find: "  if (budget !== 'code') return;",
      replace: '',
      promise: 'a lock shuts out an owner who has a backup code',
    },
    {
      find: '      return withBackupFailure(factor);',
      replace: '      return withFailure(factor, now, limits);',
      promise: 'a wrong backup code locks the factor',
    },
    {
      find: '      return withPendingFailure(factor);',
      replace: '      return withFailure(factor, now, limits);',
      promise: 'wrong codes for a pending enrollment lock the enabled factor',
    },
    {
      find: 'failures < PENDING_FAILURES',
      replace: 'true',
      promise: 'guesses at a pending secret are unlimited',
    },
    {
      find: 'failures < PENDING_FAILURES',
      replace: 'failures < PENDING_FAILURES - 1',
      promise: 'the fourth wrong code ends an enrollment',
    },
    {
      find: '  if (factor.stoppedAt !== undefined) return true;',
      replace: '',
      promise: 'a stop ends by itself',
    },
    {
      find: "  if (isStopped(factor, now, limits)) throw new CountersignError('factor_stopped');",
      replace: '',
      promise: 'a stopped factor accepts codes',
    },
    {
      find: 'if (seconds > 0) throw',
      replace: 'if (seconds > 1) throw',
      promise: 'a lock ends one second early',
    },
    {
      find: "return 'code' in proof ? 'code' : 'recovery';",
      replace: "return 'recovery';",
      promise: 'wrong codes never lock the factor',
    },
  ]),
  ...of('core/proof.ts', [
    {
      find: 'return proven && withoutFailures(proven);',
      replace: 'return proven;',
      promise: 'a correct code keeps the consecutive failures',
    },
    {
      find: 'return proven && { ...proven, backupFailures: 0 };',
      replace: 'return proven;',
      promise: 'a correct backup code keeps the consecutive wrong ones',
    },
    {
      find: 'if (secrets.every((secret) => secret === undefined))',
      replace: 'if (secrets.some((secret) => secret === undefined))',
      promise: 'one unreadable authenticator blocks the others',
    },
    {
      find: '  if (secrets.every((secret) => secret === undefined)) throw unavailable();',
      replace: '',
      promise: 'a failure is counted for a user whose secrets cannot be read',
    },
    {
      find: 'step <= lastStep',
      replace: 'step < lastStep',
      promise: 'the code of the last accepted step counts again',
    },
    { find: '  if (spent) return undefined;', replace: '', promise: 'a code counts as often as it is used' },
    {
      find: 'const spent = factor.authenticators.some(',
      replace: 'const spent = factor.authenticators.every(',
      promise: 'with two authenticators, a code counts twice',
    },
    {
      find: 'matches[index]?.at(-1)',
      replace: 'matches[index]?.at(0)',
      promise: 'a code that matches two steps counts again for the second',
    },
    {
      find: 'secret && old ?',
      replace: 'secret && false ?',
      promise: 'a secret is never resealed under the active key when it is used',
    },
    {
      find: 'return remaining && { ...factor, backupCodes: remaining };',
      replace: 'return remaining && factor;',
      promise: 'a backup code counts twice',
    },
    { find: ' || ticket.expiresAt <= now', replace: '', promise: 'a ticket counts after it expires' },
    {
      find: 'ticket.expiresAt <= now',
      replace: 'ticket.expiresAt < now',
      promise: 'a ticket counts in the second it expires',
    },
    {
      find: 'isTicket(typed, user, ticket, key) ? factor : undefined',
      replace: 'factor',
      promise: 'any ticket counts',
    },
  ]),
  ...of('core/totp.ts', [
    { find: 'random(20)', replace: 'random(10)', promise: 'secrets have 80 bits' },
    {
      find: 'current - window + index',
      replace: 'current + index',
      promise: 'codes of later steps count and codes of earlier steps do not',
    },
    { find: '2 * window + 1', replace: '2 * window + 2', promise: 'a code two steps ahead counts' },
    {
      find: 'Math.floor(now / period)',
      replace: 'Math.ceil(now / period)',
      promise: 'the time step is rounded up to the next one',
    },
    {
      find: 'digits: parameters.digits,',
      replace: 'digits: 6,',
      promise: 'an eight-digit authenticator accepts six-digit codes',
    },
    {
      find: 'algorithms[parameters.algorithm],',
      replace: "'sha1',",
      promise: 'every code is computed with SHA1',
    },
    {
      find: "account.replaceAll(':', ' ')",
      replace: 'account',
      promise: "a colon in the account's name makes the app show another issuer",
    },
    {
      find: 'left.length === right.length && timingSafeEqual(left, right)',
      replace: 'left.equals(right)',
      promise: 'the time of a comparison tells how many digits are right',
      survives:
        'The answers are the same. No test measures nanoseconds, and one that did would fail by chance.',
    },
  ]),
  ...of('core/recovery-code.ts', [
    { find: 'byte & 31', replace: 'byte & 15', promise: 'a backup code has 64 bits' },
    {
      find: 'const DIGEST_BYTES = 16;',
      replace: 'const DIGEST_BYTES = 4;',
      promise: 'two codes have the same digest',
    },
    {
      find: "'v1', purpose, user.realm",
      replace: "'v1', user.realm",
      promise: "a backup code's digest counts as a ticket's",
    },
    {
      find: 'user.realm, user.sub, set',
      replace: 'user.sub, set',
      promise: "a digest counts for another realm's user",
    },
    {
      find: 'user.realm, user.sub, set',
      replace: 'user.realm, set',
      promise: "a digest counts in a different user's record",
    },
    {
      find: 'user.sub, set, key.id',
      replace: 'user.sub, key.id',
      promise: 'a digest of an older set counts',
    },
    {
      find: 'set, key.id, readable',
      replace: 'set, readable',
      promise: 'a digest counts under the name of another key',
    },
    { find: ".replaceAll('o', '0')", replace: '', promise: 'a code typed with an o for a 0 is refused' },
  ]),
  ...of('core/typed-code.ts', [
    {
      find: '/^(?:[0-9]{6}|[0-9]{8})$/',
      replace: '/^(?:[0-9]{6}|[0-9]{8})/',
      promise: 'text longer than a code counts as an attempt',
    },
    {
      find: "typed.normalize('NFKC')",
      replace: 'typed',
      promise: 'codes typed on a full-width keyboard are refused',
    },
  ]),
  ...of('core/backup-codes.ts', [
    { find: 'const COUNT = 10;', replace: 'const COUNT = 9;', promise: 'there are nine backup codes' },
    { find: 'const set = randomId();', replace: "const set = 'set';", promise: 'two sets have the same id' },
    {
      find: 'others.length < stored.digests.length',
      replace: 'others.length <= stored.digests.length',
      promise: 'any backup code counts',
    },
  ]),
  ...of('core/enrollment-ticket.ts', [
    { find: 'return sameDigest(', replace: 'return true || sameDigest(', promise: 'any ticket counts' },
  ]),
];
