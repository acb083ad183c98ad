import { of } from './mutation.ts';

/** Enrolling and other changes of the second factor, by its user or an administrator. */
export const changes = [
  ...of('core/enrollment-policy.ts', [
    {
      find: "if (authenticators.length > 0) return 'second_factor';",
      replace: "if (authenticators.length > 0) return 'session';",
      promise: 'the password alone signs in beside a second factor',
    },
    {
      find: "if (reset.passwordAfter === undefined) return 'enrollment_ticket';",
      replace: "if (reset.passwordAfter === undefined) return 'session';",
      promise: 'after a reset the old password alone signs in',
    },
    {
      find: 'passwordSetAt > reset.passwordAfter',
      replace: 'passwordSetAt >= reset.passwordAfter',
      promise: 'a password of the second of the stop counts as newer',
    },
    {
      find: "if ('enrollmentTicket' in proof === asked) return;",
      replace: 'return;',
      promise: 'an answer of another kind is charged',
    },
    {
      find: '  if (factor.reset) return true;',
      replace: '',
      promise: 'after a reset a session does everything',
    },
    {
      find: 'now * 1000 >= Date.parse',
      replace: 'now * 1000 > Date.parse',
      promise: 'a required enrollment begins a second late',
    },
    {
      find: 'now >= askedAt',
      replace: 'now > askedAt',
      promise: 'a required enrollment begins a second late',
    },
    {
      find: 'factor.askedToEnrollAt ?? now',
      replace: 'factor.askedToEnrollAt ?? 0',
      promise: 'nobody has the days that they were given',
    },
    {
      find: ' && factor.askedToEnrollAt === undefined',
      replace: '',
      promise: 'each sign-in puts a required enrollment off',
    },
    {
      find: "if (afterPassword(factor) === 'session') return;",
      replace: 'return;',
      promise: 'replacing a temporary password goes round the second factor',
    },
  ]),
  ...of('core/enroll.ts', [
    {
      find: '  refuseUnlessCurrent(caller, factor);',
      replace: '',
      promise: 'a session from before a change enrolls',
    },
    {
      find: 'factor.authenticators.length >= totp.authenticators',
      replace: 'factor.authenticators.length > totp.authenticators',
      promise: 'a user has one authenticator too many',
    },
    {
      find: '  if (!isEnabled(factor)) await refuseUnlessMayEnrollFirst(services, input);',
      replace: '',
      promise: 'an access token alone enrolls the first authenticator',
    },
    {
      find: 'if (!proof || byTicket)',
      replace: 'if (!proof)',
      promise: 'a ticket is charged where a code is asked for',
    },
    {
      find: "      if (!byTicket) throw new CountersignError('enrollment_ticket_required');",
      replace: '',
      promise: 'after a reset the old password enrolls',
    },
    {
      find: "      throw new CountersignError('new_password_required');",
      replace: '      return undefined;',
      promise: 'after a reset that wants a new password the old one enrolls',
    },
    {
      find: "      if (proof) throw new CountersignError('not_enrolled');",
      replace: '',
      promise: 'a code is taken that nothing asks for',
    },
    {
      find: 'return proven && { ...proven, pending };',
      replace: 'return { ...factor, pending };',
      promise: 'a wrong code begins a further authenticator',
    },
    {
      find: 'pending?.id === authenticatorId && ',
      replace: 'pending && ',
      promise: 'a code confirms another enrollment than it names',
    },
    {
      find: 'pending.expiresAt > now',
      replace: 'pending.expiresAt >= now',
      promise: 'an enrollment is confirmed in the second of its end',
    },
    {
      find: '  if (own) await refuseUnlessPassword(services, caller, password, source);',
      replace: '',
      promise: 'a stolen access token enrolls the first authenticator',
    },
    {
      find: '  await refuseUnlessFresh(services, caller, now);',
      replace: '',
      promise: 'a session that was logged out enrolls',
    },
    {
      find: 'now - authTime <= settings.lifetimes.recentSignIn',
      replace: 'now - authTime < settings.lifetimes.recentSignIn',
      promise: 'a sign-in is recent for a second less',
    },
    { find: '!recent || ', replace: '', promise: 'an old session enrolls' },
    {
      find: ' || (own && sid === undefined)',
      replace: '',
      promise: "a step-up's token enrolls, which no logout ends",
    },
    {
      find: '(await isSignedIn?.()) === false',
      replace: 'false',
      promise: 'a Cognito session that was signed out enrolls',
    },
    {
      find: 'await families.isEnded(sid)',
      replace: 'false',
      promise: 'a session that was logged out enrolls',
    },
    { find: 'sub !== user.sub || ', replace: '', promise: "another user's password counts" },
    {
      find: ' || user.realm !== settings.realm',
      replace: '',
      promise: "the pool's password counts for another realm's user of the same sub",
    },
  ]),
  ...of('core/confirm.ts', [
    {
      find: '  refuseUnlessCurrent(caller, factor);',
      replace: '',
      promise: 'a session from before a change confirms',
    },
    {
      find: '  if (first) await refuseUnlessFresh(services, caller, now);',
      replace: '',
      promise: 'a session that was logged out confirms',
    },
    { find: '    if (step === undefined) return undefined;', replace: '', promise: 'a wrong code confirms' },
    { find: 'lastStep: step,', replace: 'lastStep: 0,', promise: 'the code that confirmed signs in' },
    {
      find: 'now).at(-1);',
      replace: 'now).at(0);',
      promise: 'a confirming code that fits two steps signs in',
    },
    {
      find: 'backup ? backup.stored : factor.backupCodes',
      replace: 'backup?.stored',
      promise: 'a further authenticator takes the backup codes away',
    },
    {
      find: '      reset: undefined,\n',
      replace: '',
      promise: 'a ticket counts after the enrollment it was for',
    },
    {
      find: 'first ? withoutFailures(grown) : grown',
      replace: 'withoutFailures(grown)',
      promise: "an authenticator of one's own forgives failures",
    },
    {
      find: 'grown, now, caller.session)',
      replace: 'grown, now)',
      promise: 'the Cognito session that confirmed ends with the change',
    },
    {
      find: '  await services.tokens.ready(now);',
      replace: '',
      promise: 'an authenticator is in force whose backup codes nobody got',
    },
    {
      find: "factor, 'pending', judge",
      replace: "factor, 'recovery', judge",
      promise: 'wrong codes at confirming end nothing',
    },
    {
      find: '    ...(await endPoolSessions(services.poolSessions, user)),\n',
      replace: '',
      promise: "Cognito's sessions outlive a change",
    },
    {
      find: 'seal(secret, user, inForce(enrolled), await',
      replace: 'seal(secret, user, waiting(pending, factor), await',
      promise: 'an authenticator in force does not open',
    },
  ]),
  ...of('core/disable.ts', [
    {
      find: '    ...(await endPoolSessions(services.poolSessions, user)),\n',
      replace: '',
      promise: "Cognito's sessions outlive a disabling",
    },
    {
      find: 'without(proven, authenticatorId), now, caller.session)',
      replace: 'without(proven, authenticatorId), now)',
      promise: 'the Cognito session that proved a disabling ends with it',
    },
    {
      find: '  refuseUnlessCurrent(caller, factor);',
      replace: '',
      promise: 'a session from before a change disables',
    },
    {
      find: "  if (!isEnabled(factor)) throw new CountersignError('not_enrolled');",
      replace: '',
      promise: 'disabling nothing is a fault',
    },
    {
      find: 'authenticatorId !== undefined && !',
      replace: 'false && !',
      promise: 'a code is spent for an authenticator that there is not',
    },
    {
      find: 'changed(without(proven, authenticatorId), now, caller.session)',
      replace: 'without(proven, authenticatorId)',
      promise: 'sessions outlive a disabling',
    },
    {
      find: '  await services.tokens.ready(now);',
      replace: '',
      promise: 'a code is spent though no token can be signed',
    },
    {
      find: '  if (authenticators.length === 0)',
      replace: '  if (authenticatorId === undefined)',
      promise: 'backup codes outlive the last authenticator',
    },
    {
      find: ' && !isEnabled(without(factor, authenticatorId))',
      replace: ' && false',
      promise: 'in a stop the last authenticator is disabled, and whoever guesses enrolls',
    },
    {
      find: 'createdAt > stoppedAt',
      replace: 'true',
      promise: 'one of two authenticators that were guessed at lifts the stop',
    },
    {
      find: 'withoutAnyFailure({ ...factor, authenticators, backupCodes: undefined })',
      replace: '({ ...factor, authenticators, backupCodes: undefined })',
      promise: 'a stop outlives the factor it was for',
    },
  ]),
  ...of('core/rotate-backup-codes.ts', [
    {
      find: '    ...(await endPoolSessions(services.poolSessions, user)),\n',
      replace: '',
      promise: "Cognito's sessions outlive a rotation",
    },
    {
      find: 'stored }, now, caller.session)',
      replace: 'stored }, now)',
      promise: 'the Cognito session that proved a rotation ends with it',
    },
    {
      find: '  refuseUnlessCurrent(caller, factor);',
      replace: '',
      promise: 'a session from before a change rotates',
    },
    {
      find: 'changed({ ...proven, backupCodes: stored }, now, caller.session)',
      replace: '{ ...proven, backupCodes: stored }',
      promise: 'sessions outlive a rotation',
    },
    {
      find: '{ ...proven, backupCodes: stored }',
      replace: '{ ...proven }',
      promise: 'the old backup codes outlive a rotation',
    },
    {
      find: '  await services.tokens.ready(now);',
      replace: '',
      promise: 'the backup codes are replaced by ones that nobody got',
    },
    {
      find: "factor, 'code', judge",
      replace: "factor, 'recovery', judge",
      promise: 'wrong codes at rotating are not counted',
    },
  ]),
  ...of('core/admin.ts', [
    {
      find: 'stopped && !passwordChanged && !passwordIsNewer(factor)',
      replace: 'stopped && false',
      promise: 'a stop is lifted for the password that was guessed with',
    },
    {
      find: 'passwordSetAt > stoppedAt',
      replace: 'passwordSetAt >= stoppedAt',
      promise: 'a password of the second of the stop counts as newer',
    },
    {
      find: 'stopped ? withoutAnyFailure(factor) : withoutFailures(factor)',
      replace: 'withoutAnyFailure(factor)',
      promise: 'lifting a lock forgives 30 days of guesses',
    },
    {
      find: ' && user.realm === settings.realm',
      replace: '',
      promise: "a reset waits for a password that another issuer's user has not",
    },
    {
      find: 'passwordAfter: stoppedAt ?? now',
      replace: 'passwordAfter: now',
      promise: 'a password chosen between stop and reset does not count',
    },
    {
      find: '{ ...bare, reset: resetOf(factor) }',
      replace: 'bare',
      promise: 'after a reset the old password enrolls',
    },
    {
      find: 'changed(withoutAnyFailure(without(factor, undefined)), now)',
      replace: 'withoutAnyFailure(without(factor, undefined))',
      promise: 'sessions outlive a reset',
    },
    {
      find: ' && passwordSetAt > (factor.passwordSetAt ?? 0)',
      replace: '',
      promise: 'a late event makes the password older than it is',
    },
    {
      find: 'changed(newer ? { ...factor, passwordSetAt } : factor, now)',
      replace: 'newer ? { ...factor, passwordSetAt } : factor',
      promise: 'sessions outlive their revocation',
    },
    {
      find: 'if (outcome.written) return wanted;',
      replace: 'return wanted;',
      promise: 'a revocation that lost a race is told to have happened',
    },
    {
      find: 'const MOST_LOST_RACES = 20;',
      replace: 'const MOST_LOST_RACES = 0;',
      promise: 'a user blocks revocation by writing',
    },
    {
      find: '{ ...factor, administered: { type, at, ...act } }',
      replace: 'factor',
      promise: 'the record does not keep who acted',
    },
    {
      find: "  if (factor.writtenBy === undefined) throw new CountersignError('user_not_found');",
      replace: '',
      promise: 'support acts on a user of whom nothing is known',
    },
  ]),
];
