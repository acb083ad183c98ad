import { of } from './mutation.ts';

/** Mutations of sealing, keys and tokens. */
export const keys = [
  ...of('core/totp/sealed.ts', [
    {
      find: 'pending: { expiresAt, generation } };',
      replace: 'pending: undefined };',
      promise: 'a pending secret opens as an enabled one',
    },
    { find: 'keyId !== current.id || ', replace: '', promise: 'a secret stays sealed under its old key' },
    { find: ' || box[0] !== VERSION', replace: '', promise: 'a ciphertext of version 1 is never upgraded' },
    { find: '    user.realm,\n', replace: '', promise: "a ciphertext opens for another realm's user" },
    { find: '    user.sub,\n', replace: '', promise: "a ciphertext opens in another user's record" },
    { find: '    authenticatorId,\n', replace: '', promise: 'a ciphertext opens for another authenticator' },
    { find: '    keyId,\n', replace: '', promise: "a ciphertext opens under another key's id" },
    {
      find: '    parameters.algorithm,\n',
      replace: '',
      promise: 'a ciphertext opens with another algorithm',
    },
    {
      find: '    String(parameters.digits),\n',
      replace: '',
      promise: 'a ciphertext opens with another number of digits',
    },
    {
      find: '    String(parameters.period),\n',
      replace: '',
      promise: 'a ciphertext opens with another period',
    },
    { find: 'String(pending.expiresAt), ', replace: '', promise: 'a pending secret opens after it expires' },
    { find: ', pending.generation]', replace: ']', promise: 'a pending secret opens after a change' },
  ]),
  ...of('core/key-rotation.ts', [
    {
      find: '    .filter(({ activeFrom }) => activeFrom <= now)\n',
      replace: '',
      promise: 'a key is used before every verifier can know it',
    },
    {
      find: 'activeFrom <= now',
      replace: 'activeFrom < now',
      promise: 'a key is first used one second late',
    },
    {
      find: 'newest + keyRotationDays * DAY <= now',
      replace: 'newest + keyRotationDays * DAY < now',
      promise: 'a new key is due one second late',
    },
    {
      find: '  if (!activeKey(keys, now)) return activeAtOnce(now);',
      replace: '',
      promise: 'if there is no key, sign-ins wait hours for the first one',
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
      promise: 'a container whose clock is slow has no key',
    },
    {
      find: 'challenge) + KEYRING_TTL + SKEW',
      replace: 'challenge) + SKEW',
      promise: 'a signing key is deleted while a token it signed may be valid',
    },
    {
      find: 'successor + longest > now',
      replace: 'successor > now',
      promise: 'a signing key is deleted while a token it signed may be valid',
    },
    {
      find: 'sweepBegan - KEYRING_TTL - SKEW',
      replace: 'sweepBegan',
      promise: 'a key that a container still seals with is retired',
    },
    { find: ' && !met.has(key.id)', replace: '', promise: 'a key that secrets are sealed with is retired' },
    { find: 'key.activeFrom < active.activeFrom && ', replace: '', promise: 'the key in use is retired' },
  ]),
  ...of('core/sweep.ts', [
    {
      find: 'if (state.unreadable === 0) ',
      replace: '',
      promise: 'keys are retired after a sweep that could not read every record',
    },
    {
      find: 'now < job.sweep.reached + PAUSE',
      replace: 'true',
      promise: 'a sweep continues from keys it saw long ago',
    },
    {
      find: '    if (!left && now < job.endedAt + pause) return result;',
      replace: '',
      promise: 'a key is retired while a write with it is in flight',
    },
    {
      find: '    await store.save({ ...job, sweep: { ...state, met } });',
      replace: '',
      promise: 'a run that ends loses the keys it saw, so the next one counts them as unused',
    },
    {
      find: '      await store.save({ ...job, sweep: state });',
      replace: '',
      promise: 'a run that has lost the job retires keys',
    },
    {
      find: 'unreadable: state.unreadable + unreadable',
      replace: 'unreadable',
      promise: 'a sweep forgets the records that an earlier page could not read',
    },
    {
      find: "  await keyring.current('data', now);",
      replace: '',
      promise: 'without a keyring, every record is called unreadable',
    },
    {
      find: "    if (error instanceof CountersignError) return 'unreadable';",
      replace: '',
      promise: 'one deleted key stops the resealing of every record',
    },
    { find: '    await store.release();', replace: '', promise: 'a run that ended blocks the next one' },
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
      promise: 'each sweep rewrites every record',
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
      promise: 'two realms share their record keys',
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
      promise: 'one kind of token counts as another',
    },
    {
      find: '        issuer: issuers,\n',
      replace: '',
      promise: "another issuer's token counts as our own",
    },
    {
      find: '        audience: issuers.map((url) => audienceOf(kind, { ...issuer, ISSUER: url })),\n',
      replace: '',
      promise: "another audience's token counts",
    },
    {
      find: '        currentDate: new Date(now * 1000),\n',
      replace: '',
      promise: 'tokens expire by a different clock',
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
      promise: 'a code is spent although no token can be signed',
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
      promise: 'a wrapping made for a private half counts as a public one',
    },
    {
      find: 'now < cached.loadedAt + cached.ttl',
      replace: 'true',
      promise: 'a container never learns of a new key',
    },
    {
      find: 'if (refused || now >= until ||',
      replace: 'if (now >= until ||',
      promise: 'a rewrapped key stays refused',
    },
    {
      find: 'if (refused || now >= until ||',
      replace: 'if (refused ||',
      promise: 'unwrapped keys stay in memory',
      survives:
        'A key is unwrapped again before it is used, so no answer changes. No test looks into the memory of a process.',
    },
    {
      find: ' || !stored.some((key) => key.id === id)',
      replace: '',
      promise: 'a withdrawn key stays in memory',
    },
    {
      find: 'if (known || now < ring.loadedAt + RELOAD_AFTER) return known;',
      replace: 'if (known) return known;',
      promise: 'each made-up key id causes a read of the table',
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
      survives:
        'The refusal makes the keyring load again after 30 seconds, and loading forgets what was refused.',
    },
    {
      find: '            logFault({ kind, keyId: id.slice(0, LOGGED_ID) }, fault);',
      replace: '',
      promise: 'the log does not report a tampered key',
    },
    {
      find: 'id.slice(0, LOGGED_ID)',
      replace: 'id',
      promise: 'anyone who can write the table can fill the log',
    },
    {
      find: '          if (cached) cached.ttl = Math.min(cached.ttl, RELOAD_AFTER);',
      replace: '',
      promise: 'a rewrapped keyring is not read again',
    },
    {
      find: 'if (error instanceof CountersignError && isNotOurs(error.cause)) return undefined;',
      replace: 'return undefined;',
      promise: 'while KMS fails, every token is called invalid and sessions end',
    },
    {
      find: '    if (open.length === 0) throw unavailable();',
      replace: '',
      promise: 'the JWKS tells verifiers that there are no keys',
    },
    {
      find: '      if (key && !known) await all(now);',
      replace: '',
      promise: 'every session ends if no key of the keyring opens',
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
      promise: 'a withdrawn key is read from a stale copy',
    },
    {
      find: '.filter((key) => isCertified(kind, key))',
      replace: '',
      promise: 'a signing key that KMS does not vouch for counts',
    },
    {
      find: "'version = :read'",
      replace: "'version = :read OR attribute_exists(version)'",
      promise: 'one of two concurrent changes to the keyring is lost',
    },
    {
      find: "'attribute_not_exists(version)'",
      replace: "'attribute_not_exists(nothing)'",
      promise: 'one of two concurrent first keys is lost, with everything sealed under it',
    },
    {
      find: 'String(read.version + 1)',
      replace: 'String(read.version)',
      promise: 'two consecutive changes to the keyring look like none',
    },
    {
      find: '    if (error instanceof ConditionalCheckFailedException) return false;',
      replace: '',
      promise: 'one lost race ends a rotation',
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
      promise: 'a data key is deleted while secrets are sealed with it',
    },
    {
      find: 'activeFromOfNewKey(keys, signing, now)',
      replace: 'activeAtOnce(now)',
      promise: 'a key is used before every verifier can know it',
    },
    {
      find: 'keys.filter((key) => key.id !== id)',
      replace: 'keys.filter((key) => key.id === id)',
      promise: 'withdrawing a key deletes all the others instead',
    },
    {
      find: 'const replaced = activeKey(keys, now)?.id === id;',
      replace: 'const replaced = false;',
      promise: 'nobody can sign in after a withdrawal',
    },
    { find: '    found = true;', replace: '', promise: 'a withdrawal reports that the key does not exist' },
    {
      find: "...requestFor('signing-public')",
      replace: "...requestFor('signing')",
      promise: 'a wrapped private half opens as a public one',
    },
    { find: "KeySpec: 'AES_256'", replace: "KeySpec: 'AES_128'", promise: 'data keys have 128 bits' },
    { find: 'tries < 3', replace: 'tries < 1', promise: 'one lost race ends a rotation' },
  ]),
  ...of('adapters/unwrap.ts', [
    {
      find: 'return { stack, purpose, keyId };',
      replace: 'return { purpose, keyId };',
      promise: "another deployment's keys can be unwrapped",
    },
    {
      find: 'return { stack, purpose, keyId };',
      replace: 'return { stack, keyId };',
      promise: 'a key of one kind can be unwrapped as another',
    },
    {
      find: 'return { stack, purpose, keyId };',
      replace: 'return { stack, purpose };',
      promise: "a key can be unwrapped under another key's id",
    },
    {
      find: '        KeyId: KEYRING_KEY_ARN,\n',
      replace: '',
      promise: 'a key that another KMS key wrapped can be unwrapped',
    },
    {
      find: "'IncorrectKeyException', ",
      replace: '',
      promise: 'one tampered key stops every sign-in',
    },
    {
      find: ", 'ValidationException'",
      replace: '',
      promise: 'one tampered key stops every sign-in',
    },
  ]),
];
