import { of } from './mutation.ts';

/** Mutations of sign-ins, sessions and callers. */
export const sessions = [
  ...of('core/session.ts', [
    {
      find: 'exp: family.endsAt',
      replace: 'exp: now + 86_400',
      promise: "refreshing postpones the session's expiry",
    },
    {
      find: '{ ...input, sid: family.id }',
      replace: 'input',
      promise: 'an access token does not say of which session it is',
    },
    {
      find: 'exp: now + expiresIn',
      replace: 'exp: now + 86_400',
      promise: 'an access token lives for a day',
    },
    {
      find: '    acr: acrOf(amr),\n',
      replace: '',
      promise: 'a token does not say whether the user proved the second factor',
    },
    {
      find: '    ...(session !== undefined && { origin_jti: session }),\n',
      replace: '',
      promise: "a step-up's token does not name the other issuer's session",
    },
    {
      find: '    ...(enrollmentRequired && { enrollment_required: true }),\n',
      replace: '',
      promise: 'a session that may only enroll may do everything',
    },
    {
      find: 'caller.authTime > factor.changedAt',
      replace: 'caller.authTime >= factor.changedAt',
      promise: "another issuer's session from the second of a change survives it",
    },
    {
      find: 'caller.session !== undefined && ',
      replace: '',
      promise: 'if an issuer names no sessions, all of them survive a change',
    },
    {
      find: 'caller.generation === factor.generation;',
      replace: 'true;',
      promise: 'our own sessions survive a change',
    },
    {
      find: '  refuseUnlessCurrent(caller, factor);\n  return factor;',
      replace: '  return factor;',
      promise: 'a session from before a change reads and changes the factor',
    },
    {
      find: "  if (!isEnabled(factor)) throw new CountersignError('not_enrolled');",
      replace: '',
      promise: 'a step-up, a removal or a rotation without a second factor is a fault',
    },
  ]),
  ...of('core/change.ts', [
    {
      find: "  if (!caller.amr.includes('pwd')) return {};",
      replace: '',
      promise: 'a change opens a session for a user whose password was never checked here',
    },
    {
      find: 'authTime: now,',
      replace: 'authTime: caller.authTime,',
      promise: 'the session after a change does not say when the user proved the factor',
    },
    {
      find: 'generation: changed.generation,',
      replace: "generation: caller.generation ?? '',",
      promise: 'a change ends the session that proved it',
    },
    {
      find: '    if (error instanceof CountersignError) return { cognitoSessionsEnded: false };',
      replace: '',
      promise: 'the backup codes of a confirmation are lost if Cognito fails',
    },
    {
      find: '  const ended = await endPoolSessions(services.poolSessions, caller.user);',
      replace: '  const ended = {};',
      promise: "Cognito's sessions outlive a change",
    },
    {
      find: '  await services.tokens.ready(now);',
      replace: '',
      promise:
        'an authenticator is in force whose backup codes nobody got, and a code is spent though no token can be signed',
    },
  ]),
  ...of('core/claims.ts', [
    {
      find: "amr.includes('pwd') ? ['pwd', 'otp', 'mfa'] : ['otp']",
      replace: "['pwd', 'otp', 'mfa']",
      promise: 'a token claims a password that nobody checked',
    },
    {
      find: "amr.includes('otp') ?",
      replace: "amr.includes('pwd') ?",
      promise: 'a token claims two factors for a password alone',
    },
  ]),
  ...of('core/user.ts', [
    {
      find: " || (realm === homeRealm && sub.includes('|'))",
      replace: '',
      promise: "a home user's sub names a user of another realm",
    },
    { find: "sub === '' || ", replace: '', promise: 'a user with an empty sub gets a subject in tokens' },
    {
      find: 'subject.length <= LONGEST_SUBJECT',
      replace: 'true',
      promise: 'a subject is longer than tokens allow',
    },
    {
      find: 'subject.length <= LONGEST_SUBJECT',
      replace: 'subject.length < LONGEST_SUBJECT',
      promise: 'a user whose sub has 255 characters cannot sign in',
    },
    {
      find: '=== subject ? user',
      replace: '!== undefined ? user',
      promise: 'a sub counts in a realm that is not its own',
    },
    {
      find: 'return [length, bytes];',
      replace: 'return [bytes];',
      promise: 'two different contexts encode to the same bytes',
    },
  ]),
  ...of('core/login.ts', [
    {
      find: "  if (next === 'new_password') throw new CountersignError('new_password_required');",
      replace: '',
      promise: 'after a reset that requires a new password, the old one is accepted',
    },
    {
      find: "if (next === 'session') {",
      replace: "if (next !== 'new_password') {",
      promise: 'the password alone opens a session although the user has a second factor',
    },
    {
      find: 'exp: now + expiresIn }',
      replace: 'exp: now + 86_400 }',
      promise: 'a challenge lives for a day',
    },
    {
      find: '{ ...session, enrollmentRequired }',
      replace: 'session',
      promise: 'a session that may only enroll does everything',
    },
    {
      find: 'generation: factor.generation,',
      replace: "generation: '',",
      promise: 'a sign-in does not store its generation',
    },
  ]),
  ...of('core/challenge.ts', [
    {
      find: 'generation !== factor.generation || ',
      replace: '',
      promise: 'a challenge survives a change of the factor',
    },
    {
      find: ' || Object.hasOwn(factor.answered, id)',
      replace: '',
      promise: 'a challenge can be answered twice',
    },
    {
      find: '  refuseUnlessAskedFor(factor, proof);',
      replace: '',
      promise: 'a proof of the wrong kind counts as a failure',
    },
  ]),
  ...of('core/verify-login.ts', [
    {
      find: ' || challenge.client_id !== client',
      replace: '',
      promise: "a challenge counts with another client's API key",
    },
    {
      find: '  await services.tokens.ready(now);',
      replace: '',
      promise: 'a code is spent although no token can be signed',
    },
    {
      find: 'byTicket ? challenge.amr : withSecondFactor(challenge.amr)',
      replace: 'withSecondFactor(challenge.amr)',
      promise: "a token claims that support's ticket is a second factor",
    },
    {
      find: '      enrollmentRequired: byTicket,\n',
      replace: '',
      promise: 'a ticket opens a session that may do everything',
    },
  ]),
  ...of('core/verify.ts', [
    {
      find: 'await readEnrolled(services, caller)',
      replace: 'await services.records.read(user)',
      promise: 'a session from before a change steps up',
    },
    {
      find: '  await services.tokens.ready(now);',
      replace: '',
      promise: 'a code is spent although no token can be signed',
    },
    { find: '    sid: caller.sid,\n', replace: '', promise: "a step-up's token does not name its session" },
    {
      find: '    session: caller.session,\n',
      replace: '',
      promise: "a step-up's token does not name the other issuer's session",
    },
  ]),
  ...of('core/refresh.ts', [
    {
      find: 'claims.client_id !== client',
      replace: 'false',
      promise: "a refresh token counts with another client's API key",
    },
    {
      find: "  if (claims.gen !== generation) throw new CountersignError('refresh_token_invalid');",
      replace: '',
      promise: 'a refresh token survives a change',
    },
    {
      find: "  if (mustEnroll(factor, services.settings, now)) throw new CountersignError('enrollment_required');",
      replace: '',
      promise: 'refreshing bypasses a required enrollment',
    },
    {
      find: '  await services.tokens.ready(now);',
      replace: '',
      promise: 'a refresh token is spent although no token can be signed',
    },
    {
      find: 'if (!(await services.families.advance(family, sequence, { endsAt, now, grace }))) {',
      replace: 'if (false) {',
      promise: 'a refresh token can be used any number of times',
    },
    {
      find: 'sequence: sequence + 1, endsAt',
      replace: 'sequence, endsAt',
      promise: 'the next refresh token is the old one',
    },
    {
      find: 'authTime: claims.auth_time',
      replace: 'authTime: now',
      promise: 'a refreshed token claims a new sign-in',
    },
    {
      find: 'const endsAt = claims.exp;',
      replace: 'const endsAt = now + services.settings.lifetimes.refreshToken;',
      promise: "refreshing postpones the session's expiry",
    },
  ]),
  ...of('core/logout.ts', [
    { find: ' || claims.client_id !== client', replace: '', promise: 'another client can end a session' },
    {
      find: '  await services.families.end(claims.family, claims.exp);',
      replace: '',
      promise: 'a session survives its logout',
    },
  ]),
  ...of('core/status.ts', [
    {
      find: 'await readCurrent({ records }, caller)',
      replace: 'await records.read(caller.user)',
      promise: 'a session from before a change reads the status',
    },
    {
      find: "  if (caller.enrollmentRequired) throw new CountersignError('enrollment_required');",
      replace: '',
      promise: 'a session that may only enroll reads the status',
    },
  ]),
  ...of('core/custom-auth.ts', [
    {
      find: "  if (!succeeded(srp, 'SRP_A')) return 'refuse';",
      replace: '',
      promise: 'a Cognito sign-in starts without SRP',
    },
    {
      find: "if (!user || !succeeded(password, 'PASSWORD_VERIFIER')) return 'refuse';",
      replace: "if (!user) return 'refuse';",
      promise: 'a wrong password leads to a challenge',
    },
    {
      find: "  if (answers.some(({ challengeName }) => challengeName !== 'CUSTOM_CHALLENGE')) return 'refuse';",
      replace: '',
      promise: 'a different kind of step counts as the second factor',
    },
    {
      find: "  if (answers.slice(0, -1).some(({ challengeResult }) => challengeResult !== false)) return 'refuse';",
      replace: '',
      promise: 'an impossible history is believed',
    },
    {
      find: 'answers.length < ANSWERS',
      replace: 'answers.length <= ANSWERS',
      promise: 'a sign-in accepts four answers',
    },
    {
      find: "    case 'new_password':\n      return 'refuse';",
      replace: "    case 'new_password':\n      return 'tokens';",
      promise: 'after a reset that requires a new password, the old one signs in',
    },
    {
      find: "!user || !succeeded(srp, 'SRP_A') || !succeeded(password, 'PASSWORD_VERIFIER')",
      replace: '!user',
      promise: 'a challenge is created without the password',
    },
    {
      find: "passwordProved !== 'true' || ",
      replace: '',
      promise: 'a challenge without a password before it can be answered',
    },
    {
      find: 'const ANSWERED_FOR = 900;',
      replace: 'const ANSWERED_FOR = 120;',
      promise: 'an answered challenge is forgotten before its session expires',
    },
    {
      find: ' && step.challengeResult === true',
      replace: '',
      promise: 'a failed step counts as a successful one',
    },
  ]),
];
