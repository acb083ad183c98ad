import { of } from './mutation.ts';

/** Mutations of changes to the second factor, by its user or an administrator. */
export const changes = [
  ...of('core/enrollment-policy.ts', [
    {
      find: "if (authenticators.length > 0) return 'second_factor';",
      replace: "if (authenticators.length > 0) return 'session';",
      promise: 'the password alone signs in although the user has a second factor',
    },
    {
      find: "if (reset.passwordAfter === undefined) return 'enrollment_ticket';",
      replace: "if (reset.passwordAfter === undefined) return 'session';",
      promise: 'after a reset, the old password alone signs in',
    },
    {
      find: 'passwordSetAt > reset.passwordAfter',
      replace: 'passwordSetAt >= reset.passwordAfter',
      promise: 'a password set in the same second as the stop counts as newer',
    },
    {
      find: "if ('enrollmentTicket' in proof === asked) return;",
      replace: 'return;',
      promise: 'a proof of the wrong kind counts as a failure',
    },
    {
      find: '  if (factor.reset) return true;',
      replace: '',
      promise: 'after a reset, a session may do everything',
    },
    {
      find: 'now * 1000 >= Date.parse',
      replace: 'now * 1000 > Date.parse',
      promise: 'enrollment becomes required one second late',
    },
    {
      find: 'now >= askedAt',
      replace: 'now > askedAt',
      promise: 'enrollment becomes required one second late',
    },
    {
      find: 'factor.askedToEnrollAt ?? now',
      replace: 'factor.askedToEnrollAt ?? 0',
      promise: 'users do not get the days they have for enrolling',
    },
    {
      find: ' && factor.askedToEnrollAt === undefined',
      replace: '',
      promise: 'each sign-in postpones a required enrollment',
    },
    {
      find: "if (afterPassword(factor) === 'session') return;",
      replace: 'return;',
      promise: 'replacing a temporary password bypasses the second factor',
    },
  ]),
  ...of('core/enroll.ts', [
    {
      find: '  refuseUnlessCurrent(caller, factor);',
      replace: '',
      promise: 'a session older than a change enrolls',
    },
    {
      find: 'factor.authenticators.length >= totp.authenticators',
      replace: 'factor.authenticators.length > totp.authenticators',
      promise: 'a user enrolls one authenticator too many',
    },
    {
      find: '  if (!isEnabled(factor)) await refuseUnlessMayEnrollFirst(services, input);',
      replace: '',
      promise: 'an access token alone enrolls the first authenticator',
    },
    {
      find: 'if (!proof || byTicket)',
      replace: 'if (!proof)',
      promise: 'a ticket counts as a failure although a code is required',
    },
    {
      find: "      if (!byTicket) throw new CountersignError('enrollment_ticket_required');",
      replace: '',
      promise: 'after a reset, the old password enrolls',
    },
    {
      find: "      throw new CountersignError('new_password_required');",
      replace: '      return undefined;',
      promise: 'after a reset that requires a new password, the old one enrolls',
    },
    {
      find: "      if (proof) throw new CountersignError('not_enrolled');",
      replace: '',
      promise: 'a code that is not required is accepted',
    },
    {
      find: 'return proven && { ...proven, pending };',
      replace: 'return { ...factor, pending };',
      promise: 'a wrong code starts enrolling another authenticator',
    },
    {
      find: 'pending?.id === authenticatorId && ',
      replace: 'pending && ',
      promise: 'a code confirms a different enrollment from the one named',
    },
    {
      find: 'pending.expiresAt > now',
      replace: 'pending.expiresAt >= now',
      promise: 'an enrollment is confirmed in the second it expires',
    },
    {
      find: '  if (own) await refuseUnlessPassword(services, caller, password, source);',
      replace: '',
      promise: 'a stolen access token enrolls the first authenticator',
    },
    {
      find: '  await refuseUnlessFresh(services, caller, now);',
      replace: '',
      promise: 'a logged-out session enrolls',
    },
    {
      find: 'now - authTime <= settings.lifetimes.recentSignIn',
      replace: 'now - authTime < settings.lifetimes.recentSignIn',
      promise: 'a sign-in stops counting as recent one second early',
    },
    { find: '!recent || ', replace: '', promise: 'an old session enrolls' },
    {
      find: ' || (own && sid === undefined)',
      replace: '',
      promise: "a step-up's token, which no logout ends, enrolls",
    },
    {
      find: '(await isSignedIn?.()) === false',
      replace: 'false',
      promise: 'a signed-out Cognito session enrolls',
    },
    {
      find: 'await families.isEnded(sid)',
      replace: 'false',
      promise: 'a logged-out session enrolls',
    },
    { find: 'sub !== user.sub || ', replace: '', promise: "another user's password counts" },
    {
      find: ' || user.realm !== settings.realm',
      replace: '',
      promise: "the pool's password counts for another realm's user with the same sub",
    },
  ]),
  ...of('core/confirm.ts', [
    {
      find: '  refuseUnlessCurrent(caller, factor);',
      replace: '',
      promise: 'a session older than a change confirms',
    },
    {
      find: '  if (first) await refuseUnlessFresh(services, caller, now);',
      replace: '',
      promise: 'a logged-out session confirms',
    },
    { find: '    if (step === undefined) return undefined;', replace: '', promise: 'a wrong code confirms' },
    {
      find: 'lastStep: step,',
      replace: 'lastStep: 0,',
      promise: 'the code that confirmed an enrollment also signs in',
    },
    {
      find: 'now).at(-1);',
      replace: 'now).at(0);',
      promise: 'a confirming code that matches two steps also signs in',
    },
    {
      find: 'backup ? backup.stored : factor.backupCodes',
      replace: 'backup?.stored',
      promise: 'adding an authenticator deletes the backup codes',
    },
    {
      find: '      reset: undefined,\n',
      replace: '',
      promise: 'a ticket still counts after the enrollment it was for',
    },
    {
      find: 'first ? withoutFailures(grown) : grown',
      replace: 'withoutFailures(grown)',
      promise: 'confirming another authenticator clears the failures',
    },
    {
      find: 'grown, now, caller.session)',
      replace: 'grown, now)',
      promise: 'the change ends the Cognito session that confirmed it',
    },
    {
      find: '  await services.tokens.ready(now);',
      replace: '',
      promise: 'an authenticator is enabled but nobody received its backup codes',
    },
    {
      find: "factor, 'pending', judge",
      replace: "factor, 'recovery', judge",
      promise: 'wrong codes never end a pending enrollment',
    },
    {
      find: '    ...(await endPoolSessions(services.poolSessions, user)),\n',
      replace: '',
      promise: "Cognito's sessions survive a change",
    },
    {
      find: 'seal(secret, user, inForce(enrolled), await',
      replace: 'seal(secret, user, waiting(pending, factor), await',
      promise: 'the secret of an enabled authenticator does not open',
    },
  ]),
  ...of('core/disable.ts', [
    {
      find: '    ...(await endPoolSessions(services.poolSessions, user)),\n',
      replace: '',
      promise: "Cognito's sessions survive disabling the factor",
    },
    {
      find: 'without(proven, authenticatorId), now, caller.session)',
      replace: 'without(proven, authenticatorId), now)',
      promise: 'disabling the factor ends the Cognito session that proved it',
    },
    {
      find: '  refuseUnlessCurrent(caller, factor);',
      replace: '',
      promise: 'a session older than a change disables the factor',
    },
    {
      find: "  if (!isEnabled(factor)) throw new CountersignError('not_enrolled');",
      replace: '',
      promise: 'disabling when nothing is enrolled is a fault',
    },
    {
      find: 'authenticatorId !== undefined && !',
      replace: 'false && !',
      promise: 'a code is spent for an authenticator that does not exist',
    },
    {
      find: 'changed(without(proven, authenticatorId), now, caller.session)',
      replace: 'without(proven, authenticatorId)',
      promise: 'sessions survive disabling the factor',
    },
    {
      find: '  await services.tokens.ready(now);',
      replace: '',
      promise: 'a code is spent although no token can be signed',
    },
    {
      find: '  if (authenticators.length === 0)',
      replace: '  if (authenticatorId === undefined)',
      promise: 'backup codes survive the last authenticator',
    },
    {
      find: ' && !isEnabled(without(factor, authenticatorId))',
      replace: ' && false',
      promise: 'during a stop the last authenticator is disabled, and the guesser enrolls one',
    },
    {
      find: 'createdAt > stoppedAt',
      replace: 'true',
      promise: 'removing one of two guessed-at authenticators lifts the stop',
    },
    {
      find: 'withoutAnyFailure({ ...factor, authenticators, backupCodes: undefined })',
      replace: '({ ...factor, authenticators, backupCodes: undefined })',
      promise: 'a stop survives the factor it was for',
    },
  ]),
  ...of('core/rotate-backup-codes.ts', [
    {
      find: '    ...(await endPoolSessions(services.poolSessions, user)),\n',
      replace: '',
      promise: "Cognito's sessions survive a rotation",
    },
    {
      find: 'stored }, now, caller.session)',
      replace: 'stored }, now)',
      promise: 'a rotation ends the Cognito session that proved it',
    },
    {
      find: '  refuseUnlessCurrent(caller, factor);',
      replace: '',
      promise: 'a session older than a change rotates',
    },
    {
      find: 'changed({ ...proven, backupCodes: stored }, now, caller.session)',
      replace: '{ ...proven, backupCodes: stored }',
      promise: 'sessions survive a rotation',
    },
    {
      find: '{ ...proven, backupCodes: stored }',
      replace: '{ ...proven }',
      promise: 'the old backup codes survive a rotation',
    },
    {
      find: '  await services.tokens.ready(now);',
      replace: '',
      promise: 'the backup codes are replaced by ones that nobody received',
    },
    {
      find: "factor, 'code', judge",
      replace: "factor, 'recovery', judge",
      promise: 'wrong codes sent to rotate backup codes are not counted',
    },
  ]),
  ...of('core/admin.ts', [
    {
      find: 'stopped && !passwordChanged && !passwordIsNewer(factor)',
      replace: 'stopped && false',
      promise: "an administrator lifts a stop although the guesser's password is still valid",
    },
    {
      find: 'passwordSetAt > stoppedAt',
      replace: 'passwordSetAt >= stoppedAt',
      promise: 'a password set in the same second as the stop counts as newer',
    },
    {
      find: 'stopped ? withoutAnyFailure(factor) : withoutFailures(factor)',
      replace: 'withoutAnyFailure(factor)',
      promise: 'lifting a lock clears 30 days of guesses',
    },
    {
      find: ' && user.realm === settings.realm',
      replace: '',
      promise: "a reset waits for a new password from another issuer's user, who has none here",
    },
    {
      find: 'passwordAfter: stoppedAt ?? now',
      replace: 'passwordAfter: now',
      promise: 'a password set between the stop and the reset does not count',
    },
    {
      find: '{ ...bare, reset: resetOf(factor) }',
      replace: 'bare',
      promise: 'after a reset, the old password enrolls',
    },
    {
      find: 'changed(withoutAnyFailure(without(factor, undefined)), now)',
      replace: 'withoutAnyFailure(without(factor, undefined))',
      promise: 'sessions survive a reset',
    },
    {
      find: ' && passwordSetAt > (factor.passwordSetAt ?? 0)',
      replace: '',
      promise: 'a late event makes the password look older than it is',
    },
    {
      find: 'changed(newer ? { ...factor, passwordSetAt } : factor, now)',
      replace: 'newer ? { ...factor, passwordSetAt } : factor',
      promise: 'sessions survive their revocation',
    },
    {
      find: 'if (outcome.written) return wanted;',
      replace: 'return wanted;',
      promise: 'a revocation that lost a race is reported as done',
    },
    {
      find: 'const MOST_LOST_RACES = 20;',
      replace: 'const MOST_LOST_RACES = 0;',
      promise: 'a user blocks revocation by writing',
    },
    {
      find: '{ ...factor, administered: { type, at, ...act } }',
      replace: 'factor',
      promise: 'the record does not store who acted',
    },
    {
      find: "  if (factor.writtenBy === undefined) throw new CountersignError('user_not_found');",
      replace: '',
      promise: 'support acts on a user without a record',
    },
  ]),
];
