import { of } from './mutation.ts';

/** What comes in from outside, and what goes out. */
export const edges = [
  ...of('adapters/bearer.ts', [
    {
      find: 'if (claims?.client_id !== client) return undefined;',
      replace: 'if (!claims) return undefined;',
      promise: "an access token counts with another client's key",
    },
    {
      find: '        algorithms: trusted.algorithms,\n',
      replace: '',
      promise: 'an algorithm counts that is not configured',
    },
    {
      find: '        ...(trusted.audience && { audience: trusted.audience }),\n',
      replace: '',
      promise: "another audience's token counts",
    },
    {
      find: "        requiredClaims: ['sub', 'exp', 'auth_time'],\n",
      replace: '',
      promise: 'a token without an end counts',
    },
    {
      find: '        currentDate: new Date(now * 1000),\n',
      replace: '',
      promise: 'tokens end by another clock',
    },
    {
      find: "      if (caller && trusted.pool) caller.isSignedIn = () => askPool(token, payload['scope']);",
      replace: '',
      promise: 'Cognito is not asked whether its session goes on',
    },
    {
      find: 'throw error instanceof CountersignError ? error : unavailable(error);',
      replace: 'return undefined;',
      promise: "while an issuer's keys cannot be had, its tokens are invalid",
    },
    { find: ' || !sub.isWellFormed()', replace: '', promise: 'two users share the key of a record' },
    {
      find: '  if (subjectOf(user, homeRealm) === undefined) return undefined;',
      replace: '',
      promise: 'a code is spent for somebody whom no token can name',
    },
    { find: ' || authTime > now + SKEW', replace: '', promise: 'a sign-in in milliseconds is always recent' },
    {
      find: '  if (trusted.tokenUse && use !== trusted.tokenUse) return undefined;',
      replace: '',
      promise: 'an ID token counts as an access token',
    },
    {
      find: '  if (trusted.clientIds && !trusted.clientIds.some((id) => id === clientId)) return undefined;',
      replace: '',
      promise: "a token of any of the pool's clients counts",
    },
    {
      find: 'Math.floor(authTime)',
      replace: 'authTime',
      promise: 'a fraction of the second of a change is after it',
    },
    { find: 'amr: [],', replace: "amr: ['pwd'],", promise: 'a password is claimed that nobody saw' },
    {
      find: "session: typeof session === 'string' ? session : undefined",
      replace: 'session: undefined',
      promise: 'the Cognito session that proved a change ends with it',
    },
    {
      find: '    ...(claims.enrollment_required && { enrollmentRequired: true }),\n',
      replace: '',
      promise: 'a session that may only enroll does everything',
    },
    {
      find: '    ...(claims.sid !== undefined && { sid: claims.sid }),\n',
      replace: '',
      promise: 'a token does not say whether its session goes on',
    },
    { find: 'claim.length <= 128 && ', replace: '', promise: 'a label is longer than fits a QR code' },
  ]),
  ...of('adapters/issuer-keys.ts', [
    {
      find: 'if (!last || now >= last.at + COOLDOWN)',
      replace: 'if (true)',
      promise: 'each forged token is a fetch',
    },
    {
      find: 'if (cached && now < cached.at + TTL) return cached.find;',
      replace: 'if (cached) return cached.find;',
      promise: 'a withdrawn key counts without an end',
    },
    {
      find: ' && now < cached.at + STALE_TTL',
      replace: '',
      promise: 'a withdrawn key counts for as long as no newer set can be had',
    },
    {
      find: "redirect: 'manual'",
      replace: "redirect: 'follow'",
      promise: 'keys come from elsewhere than is configured',
    },
    {
      find: 'AbortSignal.timeout(TIMEOUT)',
      replace: 'AbortSignal.timeout(60 * TIMEOUT)',
      promise: 'an issuer that hangs holds every request up',
    },
    {
      find: 'if (!cached || at >= cached.at) cached',
      replace: 'cached',
      promise: 'a late answer takes a newer key set away',
    },
    {
      find: 'return (await newest(now))(header, token);',
      replace: 'throw error;',
      promise: "an issuer's new key is unknown for ten minutes",
    },
  ]),
  ...of('adapters/first-factor.ts', [
    {
      find: '  UserNotFoundException: { logged: false },\n',
      replace: '',
      promise: 'an unknown user is told from a wrong password',
    },
    {
      find: '  PasswordResetRequiredException: { logged: false },\n',
      replace: '',
      promise: 'a user who has to reset is told from a wrong password',
    },
    {
      find: "      if (answer.ChallengeName) throw new CountersignError('sign_in_step_unsupported');",
      replace: '',
      promise: "a step of the pool's own is a fault",
    },
    {
      find: '.send(new RevokeTokenCommand({ ClientId: LOGIN_CLIENT_ID, Token: RefreshToken }))',
      replace: "['config'] && Promise.resolve()",
      promise: 'a Cognito session past the second factor lives on',
    },
    {
      find: ' || failedAfterPassword(error)',
      replace: '',
      promise: 'the right password is called wrong while DynamoDB fails',
    },
    {
      find: 'refusal.logged ? error : undefined',
      replace: 'undefined',
      promise: "nobody is told that the pool's set-up refuses everybody",
    },
    {
      find: 'address: identity.sourceIp',
      replace: "address: header(event, 'x-forwarded-for') ?? identity.sourceIp",
      promise: 'an attacker chooses the address that threat protection sees',
    },
  ]),
  ...of('adapters/pool-token.ts', [
    {
      find: "if (!String(scope).split(' ').includes(SCOPE)) {",
      replace: 'if (false) {',
      promise: 'a token without the scope is called signed out',
    },
    {
      find: "String(scope).split(' ').includes(SCOPE)",
      replace: 'String(scope).includes(SCOPE)',
      promise: 'part of a scope counts as the scope',
    },
    {
      find: 'if (error instanceof Error && REFUSALS.has(error.name)) return false;',
      replace: 'return false;',
      promise: 'while Cognito fails every session is called signed out',
    },
    { find: "  'UserNotFoundException',\n", replace: '', promise: "a deleted user's token is a fault" },
    { find: "  'NotAuthorizedException',\n", replace: '', promise: 'a revoked token is a fault' },
  ]),
  ...of('adapters/pool-sessions.ts', [
    {
      find: '      if (user.realm !== realm) return false;',
      replace: '',
      promise: "a change in another realm ends a pool user's sessions",
    },
    {
      find: "  if (eventName !== 'AdminUserGlobalSignOut') return false;",
      replace: '',
      promise: 'an act under our name is taken for our own sign-out',
    },
    {
      find: ".split(' ').includes(`app/",
      replace: ".split(' ').includes(`app/of ",
      promise: 'our own sign-out ends the session that proved the change',
    },
  ]),
  ...of('adapters/cognito-trigger.ts', [
    {
      find: "if (refusal !== 'rethrow') ",
      replace: '',
      promise: 'a trigger that can refuse by an exception only lets in on a fault',
    },
    { find: ' && !request.userNotFound', replace: '', promise: 'an unknown user is taken for a known one' },
    {
      find: 'await within(left, () => run(event, secondsNow()))',
      replace: 'await run(event, secondsNow())',
      promise: 'a write happens after Cognito was answered',
    },
    {
      find: "if (refusal !== 'rethrow') request.response = answer(event, refusal);",
      replace: '',
      promise: 'a fault is no refusal',
    },
  ]),
  ...of('adapters/deadline.ts', [
    {
      find: 'invocation.getStore()?.()',
      replace: 'undefined',
      promise: 'a write happens after the caller was answered',
    },
  ]),
  ...of('functions/contract/fields.ts', [
    {
      find: "v.check((value) => value.isWellFormed(), 'well-formed text'),",
      replace: '',
      promise: 'a password that is no text is sent on as another',
    },
    { find: 'proofsIn(body) <= 1', replace: 'proofsIn(body) <= 2', promise: 'one request tries two proofs' },
    { find: 'proofsIn(body) === 1', replace: 'proofsIn(body) >= 1', promise: 'one request tries two proofs' },
    {
      find: "v.maxLength(4096, 'at most 4096 characters'),",
      replace: '',
      promise: 'a token of any length is looked at',
    },
    { find: "v.maxBytes(64, 'at most 64 bytes'),", replace: '', promise: 'names fill the record' },
    {
      find: 'v.regex(/^[^\\p{Cc}\\p{Cs}]*$/u',
      replace: 'v.regex(/^[^\\p{Cc}]*$/u',
      promise: 'a name is stored that nothing can draw',
    },
  ]),
  ...of('adapters/body.ts', [
    {
      find: "  if (bytes.length > LARGEST) throw new CountersignError('body_too_large');",
      replace: '',
      promise: 'a megabyte is parsed',
    },
    {
      find: "if (!/^application\\/json\\s*(;|$)/i.test(header(event, 'content-type') ?? '')) {",
      replace: 'if (false) {',
      promise: 'a form of another site posts',
    },
    {
      find: '{ fatal: true }',
      replace: '{ fatal: false }',
      promise: 'bytes that are no text are taken for other text',
    },
    { find: 'Array.isArray(value) ? null : value', replace: 'value', promise: 'an array is a body' },
    {
      find: 'path && fields.includes(path) ? path',
      replace: 'path ? path',
      promise: 'an error repeats what was sent',
    },
    {
      find: " && !issue.message.startsWith('Invalid')",
      replace: '',
      promise: 'an error repeats what was sent',
    },
    {
      find: "event.isBase64Encoded ? 'base64' : 'utf8'",
      replace: "'utf8'",
      promise: 'a body in base64 is no JSON',
    },
  ]),
  ...of('adapters/admin-endpoint.ts', [
    {
      find: 'if (!options.realms.includes(realm)) {',
      replace: 'if (false) {',
      promise: 'an administrator acts in a realm that there is not',
    },
    {
      find: ' || sub.length > 255',
      replace: '',
      promise: 'an administrator names a user whom nothing can name',
    },
    {
      find: "    if (!administrator) throw new TypeError('An administrator without an ARN.');",
      replace: '',
      promise: 'somebody acts unnamed',
    },
  ]),
  ...of('adapters/endpoint.ts', [
    {
      find: "{ 'cache-control': 'no-store', ...headers }",
      replace: 'headers',
      promise: 'a refusal is cached',
    },
    {
      find: "cacheControl = 'no-store'",
      replace: "cacheControl = 'max-age=300'",
      promise: 'tokens are cached',
    },
    {
      find: "      'x-content-type-options': 'nosniff',\n",
      replace: '',
      promise: 'a browser takes an answer for something else',
    },
    {
      find: 'environment.CORS_ORIGINS.includes(origin)',
      replace: 'true',
      promise: 'any page reads the answers',
    },
    {
      find: 'environment.CLIENTS[keyId] ?? keyId',
      replace: "environment.CLIENTS[keyId] ?? ''",
      promise: 'two clients that are unknown are the same one',
    },
    {
      find: 'await within(left, () => run(event, secondsNow()))',
      replace: 'await run(event, secondsNow())',
      promise: 'a write happens after the caller was answered',
    },
    { find: '      ...audit?.(event),\n', replace: '', promise: 'nobody knows which administrator acted' },
    {
      find: "new CountersignError('internal_error')",
      replace: "new CountersignError('internal_error', error?.message)",
      promise: 'an answer repeats the text of a defect',
    },
  ]),
  ...of('adapters/log.ts', [
    {
      find: '.filter((line) => /^\\s+at /.test(line))',
      replace: '',
      promise: 'a log holds the text of a defect',
    },
    {
      find: 'error: cause.name,',
      replace: 'error: cause.message,',
      promise: "a log holds the text of a dependency's error",
    },
    { find: '    call: callOf(cause),\n', replace: '', promise: 'nobody knows which call failed' },
  ]),
  ...of('adapters/problem.ts', [
    {
      find: "      ...(error.retryAfter !== undefined && { 'retry-after': String(error.retryAfter) }),\n",
      replace: '',
      promise: 'nobody is told when a lock ends',
    },
    {
      find: '      ...bearerChallenge(error.code),\n',
      replace: '',
      promise: 'a client is not told why its token was refused',
    },
  ]),
];
