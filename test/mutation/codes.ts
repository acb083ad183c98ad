import { of } from './mutation.ts';

/** Mutations of codes, backup codes and tickets, and of the cost of a wrong one. */
export const codes = [
  ...of('core/attempt.ts', [
    {
      find: '  refuseUnlessOpen(read, budget, context.at, settings.limits);',
      replace: '',
      promise: 'a correct code counts while the factor is locked',
    },
    {
      find: '    refuseUnlessOpen(stored, budget, context.at, settings.limits);',
      replace: '',
      promise: 'a request that lost to the failure that locked does not report the lock',
    },
    {
      find: "  if (!accepted) throw new CountersignError('code_rejected');",
      replace: '',
      promise: 'a wrong code is accepted',
    },
    {
      find: 'accepted ?? refused(read, attempted, settings.limits, context)',
      replace: 'accepted',
      promise: 'a wrong code is not counted',
    },
  ]),
  ...of('core/commit.ts', [
    {
      find: '    if (outcome.written) return',
      replace: '    return',
      promise: 'two uses of one code at once both count',
    },
    {
      find: "conflict: LostRace = () => {\n  throw new CountersignError('conflict');",
      replace: 'conflict: LostRace = () => {',
      promise: 'of two enrollments at once both are told they won',
    },
    {
      find: 'const MOST_LOST_RACES = 20;',
      replace: 'const MOST_LOST_RACES = 0;',
      promise: 'a user blocks revocation by writing',
    },
    {
      find: '.filter(([, expiresAt]) => expiresAt > at)',
      replace: '',
      promise: 'the record grows with every challenge answered',
    },
    {
      find: 'expiresAt > at',
      replace: 'expiresAt < at',
      promise: 'an answered challenge is forgotten while it lives',
    },
  ]),
  ...of('core/transitions.ts', [
    {
      find: '{ ...factor.answered, [challenge.id]: challenge.expiresAt }',
      replace: '{ ...factor.answered }',
      promise: 'an answered challenge is not remembered',
    },
    {
      find: '...factor.answered, ',
      replace: '',
      promise: 'a further answer makes earlier challenges count again',
    },
    {
      find: 'attempted}.refused',
      replace: "'login'}.refused",
      promise: 'the record says of a refused step-up that it was a login',
    },
    {
      find: 'next.lockedUntil !== factor.lockedUntil',
      replace: 'false',
      promise: 'a listener is not told of a lock',
    },
    {
      find: 'stoppedAt !== factor.stoppedAt && ',
      replace: '',
      promise: 'a listener is told of one stop again and again',
    },
    {
      find: 'first ? forgiveFailures(factor) : factor',
      replace: 'forgiveFailures(factor)',
      promise: "an authenticator of one's own forgives failures",
    },
    {
      find: 'backupCodes ?? factor.backupCodes',
      replace: 'backupCodes',
      promise: 'a further authenticator takes the backup codes away',
    },
    {
      find: '    reset: undefined,\n',
      replace: '',
      promise: 'a ticket counts after the enrollment it was for',
    },
    {
      find: 'newGeneration(grown, context.at, session)',
      replace: 'newGeneration(grown, context.at)',
      promise: 'the Cognito session that confirmed ends with the change',
    },
    {
      find: 'newGeneration(grown, context.at, session)',
      replace: 'grown',
      promise: 'sessions outlive a confirmation',
    },
    {
      find: 'newGeneration(left, context.at, session)',
      replace: 'newGeneration(left, context.at)',
      promise: 'the Cognito session that proved a disabling ends with it',
    },
    {
      find: 'newGeneration(left, context.at, session)',
      replace: 'left',
      promise: 'sessions outlive a disabling',
    },
    {
      find: 'newGeneration({ ...factor, backupCodes }, context.at, session)',
      replace: 'newGeneration({ ...factor, backupCodes }, context.at)',
      promise: 'the Cognito session that proved a rotation ends with it',
    },
    {
      find: 'newGeneration({ ...factor, backupCodes }, context.at, session)',
      replace: '{ ...factor, backupCodes }',
      promise: 'sessions outlive a rotation',
    },
    {
      find: 'newGeneration({ ...factor, backupCodes },',
      replace: 'newGeneration(factor,',
      promise: 'the old backup codes outlive a rotation',
    },
  ]),
  ...of('core/transition.ts', [
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
      find: 'backupCodes: last ? undefined : factor.backupCodes',
      replace: 'backupCodes: factor.backupCodes',
      promise: 'backup codes outlive the last authenticator',
    },
    {
      find: 'createdAt > stoppedAt',
      replace: 'true',
      promise: 'one of two authenticators that were guessed at lifts the stop',
    },
    {
      find: 'last || untouched ? ',
      replace: 'untouched ? ',
      promise: 'a stop outlives the factor it was for',
    },
  ]),
  ...of('core/admin-transitions.ts', [
    {
      find: 'stopped ? forgiveAllFailures(factor) : forgiveFailures(factor)',
      replace: 'forgiveAllFailures(factor)',
      promise: 'lifting a lock forgives 30 days of guesses',
    },
    {
      find: '...newGeneration(left, context.at), reset, administered',
      replace: '...newGeneration(left, context.at), administered',
      promise: 'after a reset the old password enrolls',
    },
    {
      find: '...newGeneration(left, context.at), reset',
      replace: '...left, reset',
      promise: 'sessions outlive a reset',
    },
    {
      find: ' && passwordSetAt > (factor.passwordSetAt ?? 0)',
      replace: '',
      promise: 'a late event makes the password older than it is',
    },
    {
      find: '...newGeneration(factor, at),',
      replace: '...factor,',
      promise: 'sessions outlive their revocation',
    },
    {
      find: 'reset, administered }',
      replace: 'reset }',
      promise: 'the record does not keep who acted',
    },
    {
      find: ', administered, ...(passwordChanged',
      replace: ', ...(passwordChanged',
      promise: 'the record does not keep who lifted a stop',
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
      find: 'lockSeconds * 2 ** doublings',
      replace: 'lockSeconds',
      promise: 'locks do not grow',
    },
    {
      find: 'Math.min(lockSeconds * 2 ** doublings, Math.max(lockSeconds, longestLock))',
      replace: 'lockSeconds * 2 ** doublings',
      promise: 'locks grow without an end',
    },
    {
      find: 'Math.max(lockSeconds, longestLock)',
      replace: 'longestLock',
      promise: 'a first lock of more than 15 minutes is cut to 15',
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
      find: 'factor.failures >= stopAfter',
      replace: 'factor.failures > stopAfter',
      promise: 'a hundred failures in a row do not stop codes',
    },
    {
      find: ' || recent >= stopWithin30Days',
      replace: '',
      promise: 'guesses with successes in between are never stopped',
    },
    {
      find: 'recent >= stopWithin30Days',
      replace: 'recent > stopWithin30Days',
      promise: 'the stop within 30 days comes a failure late',
    },
    {
      find: "  if (budget !== 'code') return;",
      replace: '',
      promise: 'a lock shuts out an owner who has a backup code',
    },
    {
      find: '      return countRecoveryFailure(factor);',
      replace: '      return countCodeFailure(factor, now, limits);',
      promise: 'a wrong backup code locks',
    },
    {
      find: '      return countPendingFailure(factor);',
      replace: '      return countCodeFailure(factor, now, limits);',
      promise: 'wrong codes at confirming lock the factor in force',
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
    {
      find: 'failures: 0, lockedUntil: 0, stoppedAt',
      replace: 'lockedUntil: 0, stoppedAt',
      promise: 'a right code does not end the failures in a row',
    },
  ]),
  ...of('core/totp/prove.ts', [
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
      find: 'const spent = authenticators.some(',
      replace: 'const spent = authenticators.every(',
      promise: 'with two authenticators a code counts again',
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
  ]),
  ...of('core/prove.ts', [
    {
      find: 'forgiveFailures({ ...factor, authenticators })',
      replace: '{ ...factor, authenticators }',
      promise: 'a right code leaves the failures in a row',
    },
    {
      find: 'backupCodes: remaining, backupFailures: 0',
      replace: 'backupCodes: remaining',
      promise: 'a right backup code leaves the wrong ones in a row',
    },
    {
      find: '...factor, backupCodes: remaining,',
      replace: '...factor,',
      promise: 'a backup code counts again',
    },
    { find: ' || ticket.expiresAt <= now', replace: '', promise: 'a ticket counts after it expires' },
    {
      find: 'ticket.expiresAt <= now',
      replace: 'ticket.expiresAt < now',
      promise: 'a ticket counts in the second it expires',
    },
    {
      find: '  if (!isTicket(typed, user, ticket, key)) return undefined;',
      replace: '',
      promise: 'any ticket counts',
    },
  ]),
  ...of('core/totp/algorithm.ts', [
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
      find: "'v1', use, user.realm",
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
      find: 'set, key.id, code',
      replace: 'set, code',
      promise: 'a digest counts under the name of another key',
    },
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
    { find: ".replaceAll('o', '0')", replace: '', promise: 'a code typed with an o for a 0 is refused' },
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
