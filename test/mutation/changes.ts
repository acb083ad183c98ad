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
      find: 'await readCurrent(services, caller)',
      replace: 'await services.records.read(user)',
      promise: 'a session from before a change enrolls',
    },
    {
      find: 'factor.authenticators.length >= settings.totp.authenticators',
      replace: 'factor.authenticators.length > settings.totp.authenticators',
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
  ...of('core/totp/enroll.ts', [
    { find: '  if (step === undefined) return undefined;', replace: '', promise: 'a wrong code confirms' },
    { find: 'lastStep: step,', replace: 'lastStep: 0,', promise: 'the code that confirmed signs in' },
    {
      find: 'now).at(-1);',
      replace: 'now).at(0);',
      promise: 'a confirming code that matches two steps also signs in',
    },
    {
      find: 'seal(secret, user, inForce(enrolled), await',
      replace: 'seal(secret, user, waiting(pending, { generation }), await',
      promise: 'an authenticator in force does not open',
    },
  ]),
  ...of('core/confirm.ts', [
    {
      find: 'await readCurrent(services, caller)',
      replace: 'await services.records.read(user)',
      promise: 'a session from before a change confirms',
    },
    {
      find: '  if (first) await refuseUnlessFresh(services, caller, now);',
      replace: '',
      promise: 'a session that was logged out confirms',
    },
    {
      find: "budget: 'pending'",
      replace: "budget: 'recovery'",
      promise: 'wrong codes at confirming end nothing',
    },
  ]),
  ...of('core/disable.ts', [
    {
      find: 'await readEnrolled(services, caller)',
      replace: 'await services.records.read(caller.user)',
      promise: 'a session from before a change disables',
    },
    {
      find: 'others.length === factor.authenticators.length',
      replace: 'false',
      promise: 'a code is spent for an authenticator that there is not',
    },
    {
      find: 'if (last && isStopped',
      replace: 'if (false && isStopped',
      promise: 'in a stop the last authenticator is disabled, and whoever guesses enrolls',
    },
    {
      find: 'const last = authenticatorId === undefined || others.length === 0;',
      replace: 'const last = authenticatorId === undefined;',
      promise: 'in a stop the last authenticator is disabled by its id',
    },
    {
      find: 'session: caller.session }',
      replace: 'session: undefined }',
      promise: 'the Cognito session that proved a disabling ends with it',
    },
  ]),
  ...of('core/rotate-backup-codes.ts', [
    {
      find: 'await readEnrolled(services, caller)',
      replace: 'await services.records.read(caller.user)',
      promise: 'a session from before a change rotates',
    },
    {
      find: 'session: caller.session }',
      replace: 'session: undefined }',
      promise: 'the Cognito session that proved a rotation ends with it',
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
      find: "  if (factor.writtenBy === undefined) throw new CountersignError('user_not_found');",
      replace: '',
      promise: 'support acts on a user without a record',
    },
  ]),
];
