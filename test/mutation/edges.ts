import { of } from './mutation.ts';

/** Mutations of how requests come in and responses go out. */
export const edges = [
  ...of('adapters/bearer.ts', [
    {
      find: 'if (claims?.client_id !== client) return undefined;',
      replace: 'if (!claims) return undefined;',
      promise: "an access token counts with another client's API key",
    },
    {
      find: '        algorithms: trusted.algorithms,\n',
      replace: '',
      promise: 'an algorithm that is not configured counts',
    },
    {
      find: '        ...(trusted.audience && { audience: trusted.audience }),\n',
      replace: '',
      promise: "another audience's token counts",
    },
    {
      find: "        requiredClaims: ['sub', 'exp', 'auth_time'],\n",
      replace: '',
      promise: 'a token without an expiry counts',
    },
    {
      find: '        currentDate: new Date(now * 1000),\n',
      replace: '',
      promise: 'tokens expire by a different clock',
    },
    {
      find: "      if (caller && trusted.pool) caller.isSignedIn = () => askPool(token, payload['scope']);",
      replace: '',
      promise: 'nobody asks Cognito whether its session is still signed in',
    },
    {
      find: 'throw error instanceof CountersignError ? error : unavailable(error);',
      replace: 'return undefined;',
      promise: "while an issuer's keys cannot be fetched, its tokens are called invalid",
    },
    { find: ' || !sub.isWellFormed()', replace: '', promise: 'two users share one record key' },
    {
      find: '  if (subjectOf(user, homeRealm) === undefined) return undefined;',
      replace: '',
      promise: 'a code is spent for a user whom no token can name',
    },
    {
      find: ' || authTime > now + SKEW',
      replace: '',
      promise: 'a sign-in time in milliseconds always counts as recent',
    },
    {
      find: '  if (trusted.tokenUse && use !== trusted.tokenUse) return undefined;',
      replace: '',
      promise: 'an ID token counts as an access token',
    },
    {
      find: '  if (trusted.clientIds && !trusted.clientIds.some((id) => id === clientId)) return undefined;',
      replace: '',
      promise: 'a token of any client of the pool counts',
    },
    {
      find: 'Math.floor(authTime)',
      replace: 'authTime',
      promise: 'a sign-in within the second of a change counts as later',
    },
    { find: 'amr: [],', replace: "amr: ['pwd'],", promise: 'a token claims a password that nobody checked' },
    {
      find: "session: typeof session === 'string' ? session : undefined",
      replace: 'session: undefined',
      promise: 'a change ends the Cognito session that proved it',
    },
    {
      find: '    ...(claims.enrollment_required && { enrollmentRequired: true }),\n',
      replace: '',
      promise: 'a session that may only enroll may do everything',
    },
    {
      find: '    ...(claims.sid !== undefined && { sid: claims.sid }),\n',
      replace: '',
      promise: 'a token does not name its session',
    },
    { find: 'claim.length <= 128 && ', replace: '', promise: 'a label is too long for a QR code' },
  ]),
  ...of('adapters/issuer-keys.ts', [
    {
      find: 'if (!last || now >= last.at + COOLDOWN)',
      replace: 'if (true)',
      promise: 'each forged token causes a fetch',
    },
    {
      find: 'if (cached && now < cached.at + TTL) return cached.find;',
      replace: 'if (cached) return cached.find;',
      promise: 'a withdrawn key counts without an end',
    },
    {
      find: ' && now < cached.at + STALE_TTL',
      replace: '',
      promise: 'a withdrawn key counts until a newer key set can be fetched',
    },
    {
      find: "redirect: 'manual'",
      replace: "redirect: 'follow'",
      promise: 'keys come from a place that is not configured',
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
      promise: 'the error distinguishes an unknown user from a wrong password',
    },
    {
      find: '  PasswordResetRequiredException: { logged: false },\n',
      replace: '',
      promise: 'the error distinguishes a user who has to reset from a wrong password',
    },
    {
      find: "      if (answer.ChallengeName) throw new CountersignError('sign_in_step_unsupported');",
      replace: '',
      promise: "a sign-in step of the pool's own is a fault",
    },
    {
      find: '.send(new RevokeTokenCommand({ ClientId: LOGIN_CLIENT_ID, Token: RefreshToken }))',
      replace: "['config'] && Promise.resolve()",
      promise: 'a Cognito session without the second factor stays valid',
    },
    {
      find: ' || failedAfterPassword(error)',
      replace: '',
      promise: 'the correct password is called wrong while DynamoDB fails',
    },
    {
      find: 'refusal.logged ? error : undefined',
      replace: 'undefined',
      promise: "the log does not say that the pool's setup refuses everybody",
    },
    {
      find: 'address: identity.sourceIp',
      replace: "address: header(event, 'x-forwarded-for') ?? identity.sourceIp",
      promise: 'an attacker chooses the IP address that threat protection sees',
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
      promise: 'a part of a scope counts as the scope',
    },
    {
      find: 'if (error instanceof Error && REFUSALS.has(error.name)) return false;',
      replace: 'return false;',
      promise: 'while Cognito fails, every session is called signed out',
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
      promise: 'another action under our name counts as our own sign-out',
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
      promise: 'a trigger that can refuse only by an exception lets users in on a fault',
    },
    { find: ' && !request.userNotFound', replace: '', promise: 'an unknown user is treated as a known one' },
    {
      find: 'await within(left, () => run(event, secondsNow()))',
      replace: 'await run(event, secondsNow())',
      promise: 'a write happens after Cognito received its answer',
    },
    {
      find: "if (refusal !== 'rethrow') request.response = answer(event, refusal);",
      replace: '',
      promise: 'a fault does not refuse',
    },
  ]),
  ...of('adapters/deadline.ts', [
    {
      find: 'invocation.getStore()?.()',
      replace: 'undefined',
      promise: 'a write happens after the caller received its answer',
    },
  ]),
  ...of('functions/contract/fields.ts', [
    {
      find: "v.check((value) => value.isWellFormed(), 'well-formed text'),",
      replace: '',
      promise: 'a password that is not well-formed text is passed on as a different one',
    },
    { find: 'proofsIn(body) <= 1', replace: 'proofsIn(body) <= 2', promise: 'one request tries two proofs' },
    { find: 'proofsIn(body) === 1', replace: 'proofsIn(body) >= 1', promise: 'one request tries two proofs' },
    {
      find: "v.maxLength(4096, 'at most 4096 characters'),",
      replace: '',
      promise: 'a token of any length is parsed',
    },
    { find: "v.maxBytes(64, 'at most 64 bytes'),", replace: '', promise: 'long names fill the record' },
    {
      find: 'v.regex(/^[^\\p{Cc}\\p{Cs}]*$/u',
      replace: 'v.regex(/^[^\\p{Cc}]*$/u',
      promise: 'a name that nothing can display is stored',
    },
  ]),
  ...of('adapters/body.ts', [
    {
      find: "  if (bytes.length > LARGEST) throw new CountersignError('body_too_large');",
      replace: '',
      promise: 'a body of a megabyte is parsed',
    },
    {
      find: "if (!/^application\\/json\\s*(;|$)/i.test(header(event, 'content-type') ?? '')) {",
      replace: 'if (false) {',
      promise: 'a form on another site can post',
    },
    {
      find: '{ fatal: true }',
      replace: '{ fatal: false }',
      promise: 'bytes that are not text are read as other text',
    },
    {
      find: 'Array.isArray(value) ? null : value',
      replace: 'value',
      promise: 'an array is accepted as a body',
    },
    {
      find: 'path && fields.includes(path) ? path',
      replace: 'path ? path',
      promise: "an error repeats the client's input",
    },
    {
      find: " && !issue.message.startsWith('Invalid')",
      replace: '',
      promise: "an error repeats the client's input",
    },
    {
      find: "event.isBase64Encoded ? 'base64' : 'utf8'",
      replace: "'utf8'",
      promise: 'a base64 body is not read as JSON',
    },
  ]),
  ...of('adapters/admin-endpoint.ts', [
    {
      find: 'if (!options.realms.includes(realm)) {',
      replace: 'if (false) {',
      promise: 'an administrator acts in a realm that does not exist',
    },
    {
      find: ' || sub.length > 255',
      replace: '',
      promise: 'an administrator names a user whom no token can name',
    },
    {
      find: "    if (!administrator) throw new TypeError('An administrator without an ARN.');",
      replace: '',
      promise: 'an administrator acts without a name',
    },
  ]),
  ...of('adapters/endpoint.ts', [
    {
      find: "{ 'cache-control': 'no-store', ...headers }",
      replace: 'headers',
      promise: 'an error response is cached',
    },
    {
      find: "cacheControl = 'no-store'",
      replace: "cacheControl = 'max-age=300'",
      promise: 'a response with tokens is cached',
    },
    {
      find: "      'x-content-type-options': 'nosniff',\n",
      replace: '',
      promise: 'a browser interprets a response as another content type',
    },
    {
      find: 'environment.CORS_ORIGINS.includes(origin)',
      replace: 'true',
      promise: 'any web page can read the responses',
    },
    {
      find: 'environment.CLIENTS[keyId] ?? keyId',
      replace: "environment.CLIENTS[keyId] ?? ''",
      promise: 'two unknown clients count as the same one',
    },
    {
      find: 'await within(left, () => run(event, secondsNow()))',
      replace: 'await run(event, secondsNow())',
      promise: 'a write happens after the caller received its answer',
    },
    {
      find: '      ...audit?.(event),\n',
      replace: '',
      promise: 'the log does not say which administrator acted',
    },
    {
      find: "new CountersignError('internal_error')",
      replace: "new CountersignError('internal_error', error?.message)",
      promise: 'a response repeats the message of a defect',
    },
  ]),
  ...of('adapters/log.ts', [
    {
      find: '.filter((line) => /^\\s+at /.test(line))',
      replace: '',
      promise: 'a log contains the message of a defect',
    },
    {
      find: 'error: cause.name,',
      replace: 'error: cause.message,',
      promise: "a log contains the message of a dependency's error",
    },
    { find: '    call: callOf(cause),\n', replace: '', promise: 'the log does not say which call failed' },
  ]),
  ...of('adapters/problem.ts', [
    {
      find: "      ...(error.retryAfter !== undefined && { 'retry-after': String(error.retryAfter) }),\n",
      replace: '',
      promise: 'no response says when a lock ends',
    },
    {
      find: '      ...bearerChallenge(error.code),\n',
      replace: '',
      promise: 'no response says why a token was refused',
    },
  ]),
];
