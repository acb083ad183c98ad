import { of } from './mutation.ts';

/** Sealing, keys and tokens. */
export const keys = [
  ...of('core/totp/sealed.ts', [
    {
      find: 'pending: { expiresAt, generation } };',
      replace: 'pending: undefined };',
      promise: 'a pending secret opens in force',
    },
    { find: 'keyId !== current.id || ', replace: '', promise: 'a secret stays under its old key' },
    { find: ' || box[0] !== VERSION', replace: '', promise: 'a box of version 1 stays what it is' },
    { find: '    user.realm,\n', replace: '', promise: "a box opens for another realm's user" },
    { find: '    user.sub,\n', replace: '', promise: "a box opens in another user's record" },
    { find: '    authenticatorId,\n', replace: '', promise: 'a box opens as another authenticator' },
    { find: '    keyId,\n', replace: '', promise: 'a box opens under the name of another key' },
    { find: '    parameters.algorithm,\n', replace: '', promise: 'a box opens with another algorithm' },
    {
      find: '    String(parameters.digits),\n',
      replace: '',
      promise: 'a box opens with another number of digits',
    },
    { find: '    String(parameters.period),\n', replace: '', promise: 'a box opens with another period' },
    { find: 'String(pending.expiresAt), ', replace: '', promise: 'a pending secret opens after its end' },
    { find: ', pending.generation]', replace: ']', promise: 'a pending secret opens after a change' },
  ]),
  ...of('core/key-rotation.ts', [
    {
      find: '    .filter(({ activeFrom }) => activeFrom <= now)\n',
      replace: '',
      promise: 'a key is used before every verifier can know it',
    },
    { find: 'activeFrom <= now', replace: 'activeFrom < now', promise: 'a key is used a second late' },
    {
      find: 'newest + keyRotationDays * DAY <= now',
      replace: 'newest + keyRotationDays * DAY < now',
      promise: 'a key is due a second late',
    },
    {
      find: '  if (!activeKey(keys, now)) return activeAtOnce(now);',
      replace: '',
      promise: 'where there is no key, sign-ins wait for hours for the first',
    },
    {
      find: 'KEY_SET_MAX_AGE + KEY_SET_HELD',
      replace: 'KEY_SET_MAX_AGE',
      promise: "API Gateway's authorizers refuse tokens of a new key",
    },
    {
      find: 'SKEW + KEYRING_TTL + (',
      replace: 'SKEW + (',
      promise: 'a key is used before every container can know it',
    },
    {
      find: 'return now - SKEW;',
      replace: 'return now;',
      promise: 'a container whose clock is behind has no key',
    },
    {
      find: 'challenge) + KEYRING_TTL + SKEW',
      replace: 'challenge) + SKEW',
      promise: 'a signing key goes while a token of it may live',
    },
    {
      find: 'successor + longest > now',
      replace: 'successor > now',
      promise: 'a signing key goes while a token of it may live',
    },
    {
      find: 'sweepBegan - KEYRING_TTL - SKEW',
      replace: 'sweepBegan',
      promise: 'a key is retired with which a container still seals',
    },
    { find: ' && !met.has(key.id)', replace: '', promise: 'a key is retired that secrets are sealed with' },
    { find: 'key.activeFrom < active.activeFrom && ', replace: '', promise: 'the key in use is retired' },
  ]),
  ...of('core/sweep.ts', [
    {
      find: 'if (state.unreadable === 0) ',
      replace: '',
      promise: 'keys are retired after a sweep that could not read everything',
    },
    {
      find: 'now < job.sweep.reached + PAUSE',
      replace: 'true',
      promise: 'a sweep goes on by what it met long ago',
    },
    {
      find: '    if (!left && now < job.endedAt + pause) return result;',
      replace: '',
      promise: 'a key is retired while a write with it is under way',
    },
    {
      find: '    await store.save({ ...job, sweep: { ...state, met } });',
      replace: '',
      promise: 'a run that ends makes the next one think that a key was met nowhere',
    },
    {
      find: '      await store.save({ ...job, sweep: state });',
      replace: '',
      promise: 'a run that has lost the job retires keys',
    },
    {
      find: 'unreadable: state.unreadable + unreadable',
      replace: 'unreadable',
      promise: 'what an earlier page could not read is forgotten',
    },
    {
      find: "  await keyring.current('data', now);",
      replace: '',
      promise: 'without a keyring every record is called unreadable',
    },
    {
      find: "    if (error instanceof CountersignError) return 'unreadable';",
      replace: '',
      promise: 'one key that is gone keeps every record from being sealed anew',
    },
    { find: '    await store.release();', replace: '', promise: 'a run that ended keeps the next one out' },
  ]),
  ...of('core/reseal.ts', [
    {
      find: '...(factor.pending ? [factor.pending] : [])',
      replace: '',
      promise: 'the key of a pending secret is retired',
    },
    {
      find: '[factor.backupCodes, factor.reset?.ticket]',
      replace: '[factor.backupCodes]',
      promise: 'the key of a ticket is retired, and its user cannot enroll',
    },
    {
      find: '[factor.backupCodes, factor.reset?.ticket]',
      replace: '[factor.reset?.ticket]',
      promise: 'the key of backup codes is retired, and they are lost',
    },
    {
      find: 'old && (await resealPending(keyring, user, old, { generation, now }))',
      replace: 'old',
      promise: 'a pending secret stays under its old key',
    },
  ]),
  ...of('core/totp/kind.ts', [
    {
      find: '  if (!isOutdated(secret, current)) return authenticator;',
      replace: '',
      promise: 'each sweep writes every record',
    },
  ]),
  ...of('core/settings.ts', [
    {
      find: 'window: between(0, 2, 1)',
      replace: 'window: between(0, 20, 1)',
      promise: 'a configuration accepts codes of ten minutes',
    },
    {
      find: 'stopAfter: between(5, 100, 100)',
      replace: 'stopAfter: between(5, 1000, 100)',
      promise: 'a configuration allows a thousand guesses in a row',
    },
    {
      find: '/^[a-z0-9][a-z0-9-]{0,31}$/',
      replace: '/^[a-z0-9][^:]{0,31}$/',
      promise: 'two realms share the keys of their records',
    },
  ]),
  ...of('adapters/tokens.ts', [
    {
      find: '        algorithms: [ALGORITHM],\n',
      replace: '',
      promise: 'a token of another algorithm counts',
    },
    {
      find: 'typ: TYPES[kind],\n',
      replace: '\n',
      promise: 'one kind of token counts in the place of another',
    },
    {
      find: '        issuer: issuers,\n',
      replace: '',
      promise: "another issuer's token counts as one of our own",
    },
    {
      find: '        audience: issuers.map((url) => audienceOf(kind, { ...issuer, ISSUER: url })),\n',
      replace: '',
      promise: "another audience's token counts",
    },
    {
      find: '        currentDate: new Date(now * 1000),\n',
      replace: '',
      promise: 'tokens end by another clock',
    },
    {
      find: 'return user && { ...claims.output, ...user };',
      replace: 'return { ...claims.output, ...user };',
      promise: 'a sub counts in a realm that is not its own',
    },
    {
      find: '        if (error instanceof errors.JOSEError) return undefined;',
      replace: '',
      promise: 'an invalid token is a fault',
    },
    {
      find: '      await keys.current(now);',
      replace: '',
      promise: 'a code is spent though no token can be signed',
    },
    {
      find: "      if (sub === undefined) throw new Error('This user can have no sub in a token.');",
      replace: '',
      promise: 'a token is signed without a sub',
    },
    {
      find: '}/v1/auth/verify`',
      replace: '}`',
      promise: "a challenge has an access token's audience",
    },
    {
      find: '}/v1/auth/refresh`',
      replace: '}`',
      promise: "a refresh token has an access token's audience",
    },
  ]),
  ...of('adapters/keyring.ts', [
    {
      find: "unwrap('signing-public', id, wrappedPublic)",
      replace: "unwrap('signing', id, wrappedPublic)",
      promise: 'a public half counts that is no public half',
    },
    {
      find: 'now < cached.loadedAt + cached.ttl',
      replace: 'true',
      promise: 'a container never learns of a new key',
    },
    {
      find: 'if (refused || now >= until ||',
      replace: 'if (now >= until ||',
      promise: 'a key that was wrapped anew stays refused',
    },
    {
      find: 'if (refused || now >= until ||',
      replace: 'if (refused ||',
      promise: 'unwrapped keys stay in memory',
    },
    {
      find: ' || !stored.some((key) => key.id === id)',
      replace: '',
      promise: 'a withdrawn key stays in memory',
    },
    {
      find: 'if (known || now < ring.loadedAt + RELOAD_AFTER) return known;',
      replace: 'if (known) return known;',
      promise: 'each made-up key id is a read of the table',
    },
    {
      find: 'if (known && now < known.until) return known.key;',
      replace: 'if (known) return known.key;',
      promise: 'an unwrapped key is cached without an end',
    },
    {
      find: '            entry.until = now + RELOAD_AFTER;',
      replace: '',
      promise: 'a key that KMS refused once is refused for the whole ttl',
    },
    {
      find: '            logFault({ kind, keyId: id.slice(0, LOGGED_ID) }, fault);',
      replace: '',
      promise: 'nobody is told of a key that was tampered with',
    },
    { find: 'id.slice(0, LOGGED_ID)', replace: 'id', promise: 'whoever writes the table fills the log' },
    {
      find: '          if (cached) cached.ttl = Math.min(cached.ttl, RELOAD_AFTER);',
      replace: '',
      promise: 'a keyring that was wrapped anew is not read again',
    },
    {
      find: 'if (error instanceof CountersignError && isNotOurs(error.cause)) return undefined;',
      replace: 'return undefined;',
      promise: 'while KMS fails every token is invalid, and sessions end',
    },
    {
      find: '    if (open.length === 0) throw unavailable();',
      replace: '',
      promise: 'verifiers are told that there are no keys',
    },
    {
      find: '      if (key && !known) await all(now);',
      replace: '',
      promise: 'every session ends where a whole keyring does not open',
    },
    { find: '    bytes.fill(0);', replace: '', promise: 'plain keys are left in memory' },
    {
      find: '  if (!active) throw unavailable();',
      replace: '',
      promise: 'a keyring without a key is a defect, not a fault',
    },
  ]),
  ...of('adapters/key-store.ts', [
    {
      find: 'ConsistentRead: true',
      replace: 'ConsistentRead: false',
      promise: 'a withdrawn key is read again',
    },
    {
      find: '.filter((key) => isCertified(kind, key))',
      replace: '',
      promise: 'a signing key counts for which KMS does not vouch',
    },
    {
      find: "'version = :read'",
      replace: "'version = :read OR attribute_exists(version)'",
      promise: 'of two changes of the keyring one is lost',
    },
    {
      find: "'attribute_not_exists(version)'",
      replace: "'attribute_not_exists(nothing)'",
      promise: 'of two first keys one is lost, and what was sealed with it',
    },
    {
      find: 'String(read.version + 1)',
      replace: 'String(read.version)',
      promise: 'two changes of the keyring after one another look like none',
    },
    {
      find: '    if (error instanceof ConditionalCheckFailedException) return false;',
      replace: '',
      promise: 'a lost race ends a rotation',
    },
  ]),
  ...of('adapters/key-maker.ts', [
    {
      find: 'keys.length > 0 ? undefined :',
      replace: 'false ? undefined :',
      promise: 'every deployment replaces all keys',
    },
    {
      find: 'signing ? signingKeysNeeded(keys, now, settings) : keys',
      replace: 'signingKeysNeeded(keys, now, settings)',
      promise: 'a data key goes while secrets are sealed with it',
    },
    {
      find: 'activeFromOfNewKey(keys, signing, now)',
      replace: 'activeAtOnce(now)',
      promise: 'a key is used before every verifier can know it',
    },
    {
      find: 'keys.filter((key) => key.id !== id)',
      replace: 'keys.filter((key) => key.id === id)',
      promise: 'all keys are withdrawn but the one that was to be',
    },
    {
      find: 'const replaced = activeKey(keys, now)?.id === id;',
      replace: 'const replaced = false;',
      promise: 'nobody can sign in after a withdrawal',
    },
    { find: '    found = true;', replace: '', promise: 'a withdrawal says that there was no such key' },
    {
      find: "...requestFor('signing-public')",
      replace: "...requestFor('signing')",
      promise: 'a wrapped private half opens as a public one',
    },
    { find: "KeySpec: 'AES_256'", replace: "KeySpec: 'AES_128'", promise: 'data keys have 128 bits' },
    { find: 'tries < 3', replace: 'tries < 1', promise: 'a lost race ends a rotation' },
  ]),
  ...of('adapters/unwrap.ts', [
    {
      find: 'return { stack, purpose, keyId };',
      replace: 'return { purpose, keyId };',
      promise: "another deployment's keys open",
    },
    {
      find: 'return { stack, purpose, keyId };',
      replace: 'return { stack, keyId };',
      promise: 'a key of one kind opens as another',
    },
    {
      find: 'return { stack, purpose, keyId };',
      replace: 'return { stack, purpose };',
      promise: 'a key opens under the id of another',
    },
    {
      find: '        KeyId: KEYRING_KEY_ARN,\n',
      replace: '',
      promise: 'a key opens that any other KMS key wrapped',
    },
    {
      find: "'IncorrectKeyException', ",
      replace: '',
      promise: 'one key that was tampered with stops every sign-in',
    },
    {
      find: ", 'ValidationException'",
      replace: '',
      promise: 'one key that was tampered with stops every sign-in',
    },
  ]),
];
