import { of } from './mutation.ts';

/** Signing in, sessions, and who calls. */
export const sessions = [
  ...of('core/session.ts', [
    {
      find: 'exp: family.endsAt',
      replace: 'exp: now + 86_400',
      promise: "refreshing moves the session's end",
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
      promise: 'a token does not say whether the second factor was proved',
    },
    {
      find: '    ...(session !== undefined && { origin_jti: session }),\n',
      replace: '',
      promise: "a step-up's token forgets the other issuer's session",
    },
    {
      find: '    ...(enrollmentRequired && { enrollment_required: true }),\n',
      replace: '',
      promise: 'a session that may only enroll does everything',
    },
    {
      find: 'caller.authTime > factor.changedAt',
      replace: 'caller.authTime >= factor.changedAt',
      promise: "another issuer's session of the very second of a change outlives it",
    },
    {
      find: 'caller.session !== undefined && ',
      replace: '',
      promise: 'where an issuer names no sessions, all of them outlive a change',
    },
    {
      find: 'caller.generation === factor.generation;',
      replace: 'true;',
      promise: 'own sessions outlive a change',
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
      promise: 'a change opens a session for somebody whose password was never seen',
    },
    {
      find: 'authTime: now,',
      replace: 'authTime: caller.authTime,',
      promise: 'the session after a change does not say when the factor was proved',
    },
    {
      find: 'generation: changed.generation,',
      replace: "generation: caller.generation ?? '',",
      promise: 'the session that proved a change ends with it',
    },
    {
      find: '    if (error instanceof CountersignError) return { cognitoSessionsEnded: false };',
      replace: '',
      promise: 'the backup codes of a confirmation are lost where Cognito fails',
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
      promise: 'a password is claimed that nobody saw',
    },
    {
      find: "amr.includes('otp') ?",
      replace: "amr.includes('pwd') ?",
      promise: 'a password alone is claimed to be two factors',
    },
  ]),
  ...of('core/user.ts', [
    {
      find: " || (realm === homeRealm && sub.includes('|'))",
      replace: '',
      promise: "a home user's sub names a user of another realm",
    },
    { find: "sub === '' || ", replace: '', promise: 'a user without a sub has one in tokens' },
    {
      find: 'subject.length <= LONGEST_SUBJECT',
      replace: 'true',
      promise: 'a sub is longer than tokens may have',
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
      promise: 'two places are bound to the same bytes',
    },
  ]),
  ...of('core/login.ts', [
    {
      find: "  if (next === 'new_password') throw new CountersignError('new_password_required');",
      replace: '',
      promise: 'the old password leads on after a reset that wants a new one',
    },
    {
      find: "if (next === 'session') {",
      replace: "if (next !== 'new_password') {",
      promise: 'the password alone opens a session beside a second factor',
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
      promise: 'a sign-in forgets of which generation it is',
    },
  ]),
  ...of('core/verify-login.ts', [
    {
      find: ' || challenge.client_id !== client',
      replace: '',
      promise: "a challenge counts with another client's key",
    },
    {
      find: 'challenge.gen !== factor.generation || ',
      replace: '',
      promise: 'a challenge outlives a change of the factor',
    },
    {
      find: ' || Object.hasOwn(factor.answered, challenge.jti)',
      replace: '',
      promise: 'a challenge is answered twice',
    },
    {
      find: '  refuseUnlessAskedFor(factor, proof);',
      replace: '',
      promise: 'an answer of another kind is charged',
    },
    {
      find: '  await services.tokens.ready(now);',
      replace: '',
      promise: 'a code is spent though no token can be signed',
    },
    {
      find: 'byTicket ? challenge.amr : withSecondFactor(challenge.amr)',
      replace: 'withSecondFactor(challenge.amr)',
      promise: "support's ticket is claimed to be a second factor",
    },
    {
      find: '      enrollmentRequired: byTicket,\n',
      replace: '',
      promise: 'a ticket opens a session that does everything',
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
      promise: 'a code is spent though no token can be signed',
    },
    { find: '    sid: caller.sid,\n', replace: '', promise: "a step-up's token forgets its session" },
    {
      find: '    session: caller.session,\n',
      replace: '',
      promise: "a step-up's token forgets the other issuer's session",
    },
  ]),
  ...of('core/refresh.ts', [
    {
      find: 'claims.client_id !== client',
      replace: 'false',
      promise: "a refresh token counts with another client's key",
    },
    {
      find: "  if (claims.gen !== generation) throw new CountersignError('refresh_token_invalid');",
      replace: '',
      promise: 'a refresh token outlives a change',
    },
    {
      find: "  if (mustEnroll(factor, services.settings, now)) throw new CountersignError('enrollment_required');",
      replace: '',
      promise: 'refreshing goes round a required enrollment',
    },
    {
      find: '  await services.tokens.ready(now);',
      replace: '',
      promise: 'a refresh token is spent though no token can be signed',
    },
    {
      find: 'if (!(await services.families.advance(family, sequence, { endsAt, now, grace }))) {',
      replace: 'if (false) {',
      promise: 'a refresh token counts as often as it is used',
    },
    {
      find: 'sequence: sequence + 1, endsAt',
      replace: 'sequence, endsAt',
      promise: 'the next refresh token is the old one',
    },
    {
      find: 'authTime: claims.auth_time',
      replace: 'authTime: now',
      promise: 'refreshing is claimed to be a sign-in',
    },
    {
      find: 'const endsAt = claims.exp;',
      replace: 'const endsAt = now + services.settings.lifetimes.refreshToken;',
      promise: "refreshing moves the session's end",
    },
  ]),
  ...of('core/logout.ts', [
    { find: ' || claims.client_id !== client', replace: '', promise: 'another client ends a session' },
    {
      find: '  await services.families.end(claims.family, claims.exp);',
      replace: '',
      promise: 'a session outlives its logout',
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
      promise: 'a step of another kind stands for the second factor',
    },
    {
      find: "  if (answers.slice(0, -1).some(({ challengeResult }) => challengeResult !== false)) return 'refuse';",
      replace: '',
      promise: 'a history that cannot be is believed',
    },
    {
      find: 'answers.length < ANSWERS',
      replace: 'answers.length <= ANSWERS',
      promise: 'a sign-in takes four answers',
    },
    {
      find: "    case 'new_password':\n      return 'refuse';",
      replace: "    case 'new_password':\n      return 'tokens';",
      promise: 'the old password signs in after a reset that wants a new one',
    },
    {
      find: "!user || !succeeded(srp, 'SRP_A') || !succeeded(password, 'PASSWORD_VERIFIER')",
      replace: '!user',
      promise: 'a challenge is made without the password',
    },
    {
      find: "passwordProved !== 'true' || ",
      replace: '',
      promise: 'a challenge that no password came before is answered',
    },
    {
      find: 'factor.generation !== generation || ',
      replace: '',
      promise: 'a challenge outlives a change of the factor',
    },
    {
      find: ' || Object.hasOwn(factor.answered, challenge)',
      replace: '',
      promise: 'a challenge is answered twice',
    },
    {
      find: '  refuseUnlessAskedFor(factor, proof);',
      replace: '',
      promise: 'a code that nothing asks for is charged',
    },
    {
      find: 'const ANSWERED_FOR = 900;',
      replace: 'const ANSWERED_FOR = 120;',
      promise: 'an answered challenge is forgotten while its session lives',
    },
    {
      find: ' && step.challengeResult === true',
      replace: '',
      promise: 'a step that failed counts as one that succeeded',
    },
  ]),
];
