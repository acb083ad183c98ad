import { of } from './mutation.ts';

/** Mutations of how records, families and the sweep are stored. */
export const stores = [
  ...of('adapters/records.ts', [
    {
      find: 'ConsistentRead: true',
      replace: 'ConsistentRead: false',
      promise: 'a proof is checked against a stale record',
    },
    {
      find: 'after.generation !== before.generation',
      replace: 'false',
      promise: 'a foreign sign-in concurrent with a change counts as later',
    },
    {
      find: 'Math.max(after.changedAt, secondsNow())',
      replace: 'after.changedAt',
      promise: 'a foreign sign-in during a slow change counts as later',
    },
    {
      find: ' + IN_FLIGHT;',
      replace: ';',
      promise: 'a foreign sign-in while a change is written counts as later',
    },
    {
      find: '      if (stored.writtenBy === id) return { written: true };',
      replace: '',
      promise: 'a correct code whose write lost its response is refused',
    },
    {
      find: '      if ((error.$metadata.attempts ?? 1) > 1) return fault(error);',
      replace: '',
      promise: 'a code that may have counted is called wrong',
    },
    {
      find: "'attribute_not_exists(pk)'",
      replace: "'attribute_not_exists(nothing)'",
      promise: 'a first write overwrites another',
    },
    {
      find: '} = :read`;',
      replace: '} = :read OR attribute_exists(pk)`;',
      promise: 'a write overwrites a record it did not read',
    },
    { find: "'ALL_OLD'", replace: "'NONE'", promise: 'the loser of a race learns that nothing is stored' },
    {
      find: 'recordKey({ realm, sub }: User)',
      replace: "recordKey({ sub }: User, realm = 'any')",
      promise: 'two realms share a record',
    },
    {
      find: 'if (name !== ITEM_VERSION && isDeepStrictEqual(old[name], value)) continue;',
      replace: '',
      promise: 'each write sends the whole record',
    },
    {
      find: 'name !== ITEM_VERSION && ',
      replace: '',
      promise: 'an older version writes to a record of the newest',
    },
  ]),
  ...of('adapters/record-item.ts', [
    {
      find: 'return reset ? 2 : 1;',
      replace: 'return 1;',
      promise: 'an older version takes a reset user for one without a second factor',
    },
    {
      find: '  if (item[ITEM_VERSION] && readNumber(item[ITEM_VERSION]) > VERSION) throw unavailable();',
      replace: '',
      promise: "a newer version's record is misread",
    },
    {
      find: '  if (numbers.length % 2 !== 0) throw unavailable();',
      replace: '',
      promise: 'unreadable failures count as none',
    },
    {
      find: '  if (!p && !t) throw unavailable();',
      replace: '',
      promise: 'an unreadable reset requires nothing',
    },
    {
      find: 'writtenBy: readText(item[WRITTEN_BY])',
      replace: 'writtenBy: item[WRITTEN_BY]?.S',
      promise: 'an item that no write of ours made is a record',
    },
    {
      find: 'factor.failures ? number(factor.failures) : undefined',
      replace: 'undefined',
      promise: 'failures are not stored',
    },
    {
      find: 'factor.lockedUntil ? number(factor.lockedUntil) : undefined',
      replace: 'undefined',
      promise: 'a lock is not stored',
    },
    {
      find: 'factor.stoppedAt === undefined ? undefined : number(factor.stoppedAt)',
      replace: 'undefined',
      promise: 'a stop is not stored',
    },
    {
      find: 'if (authenticators.length > 0 || pending) return VERSION;',
      replace: '',
      promise: 'an older version takes an authenticator of any kind for an app',
    },
    {
      find: "  if (kind !== 'totp') throw unavailable();",
      replace: '',
      promise: 'an authenticator of an unknown kind is read as an app',
    },
    {
      find: "y ? readText(y) : 'totp'",
      replace: 'readText(y)',
      promise: 'whoever enrolled with an older version is shut out',
    },
  ]),
  ...of('adapters/attributes.ts', [
    {
      find: '  if (!Number.isSafeInteger(read)) throw unavailable();',
      replace: '',
      promise: 'an unreadable number is not a fault',
    },
    {
      find: 'if (value?.S === undefined) throw unavailable();',
      replace: "if (value?.S === undefined) return '';",
      promise: 'an unreadable text counts as empty',
    },
    {
      find: 'if (value.L === undefined) throw unavailable();',
      replace: 'if (value.L === undefined) return [];',
      promise: 'unreadable authenticators count as none',
    },
    {
      find: 'if (value.M === undefined) throw unavailable();',
      replace: 'if (value.M === undefined) return {};',
      promise: 'unreadable answered challenges count as none',
    },
    {
      find: 'if (value.BS === undefined) throw unavailable();',
      replace: 'if (value.BS === undefined) return [];',
      promise: 'unreadable backup codes count as none',
    },
  ]),
  ...of('adapters/totp-item.ts', [
    {
      find: '  if (!algorithm) throw unavailable();',
      replace: '',
      promise: 'unreadable parameters are not a fault',
    },
    {
      find: 's: number(totp.lastStep)',
      replace: 's: number(0)',
      promise: 'the last step is not stored',
    },
  ]),
  ...of('adapters/families.ts', [
    {
      find: 'const MARGIN = 3600;',
      replace: 'const MARGIN = -3600;',
      promise: 'a family expires before its last token, whose use then starts it again',
    },
    {
      find: "if (!stored || wroteIt(stored, 'w', id)) return true;",
      replace: 'if (!stored) return true;',
      promise: 'a refresh that lost its response ends the session',
    },
    {
      find: ' && !hasEnded(stored);',
      replace: ';',
      promise: 'a session ended between a write and its retry continues',
    },
    {
      find: 'if (isWithinGrace(stored, sequence, times)) {',
      replace: 'if (false) {',
      promise: 'two tabs that refresh at once end the session',
    },
    {
      find: '    await end(family, times.endsAt);',
      replace: '',
      promise: 'a refresh token used again ends nothing',
    },
    {
      find: 'ConsistentRead: true',
      replace: 'ConsistentRead: false',
      promise: 'a session that has just ended continues',
    },
    {
      find: 'Item !== undefined && hasEnded(Item)',
      replace: 'false',
      promise: 'a session that has ended continues',
    },
    { find: 'grace === 0 || ', replace: '', promise: 'a grace of 0 still gives a grace' },
    {
      find: 'next?.N === String(sequence + 1) && ',
      replace: '',
      promise: 'the grace is given to older tokens too',
    },
    { find: '<= grace;', replace: '< grace;', promise: 'the grace is one second short' },
    {
      find: 'Math.abs(now - Number(advancedAt.N))',
      replace: '(now - Number(advancedAt.N))',
      promise: 'a container whose clock is slow gives a longer grace',
    },
    {
      find: "'n = :sequence AND attribute_not_exists(z)'",
      replace: "'n = :sequence'",
      promise: 'a session that has ended continues',
    },
    {
      find: "'attribute_not_exists(pk)'",
      replace: "'attribute_not_exists(n)'",
      promise: 'a session logged out before its first refresh continues',
    },
    { find: ' REMOVE g', replace: '', promise: 'the grace is given only once per session' },
    {
      find: ' AND attribute_not_exists(g)',
      replace: '',
      promise: 'two concurrent refreshes both get the grace',
    },
    {
      find: 'attribute_not_exists(g) AND attribute_not_exists(z)',
      replace: 'attribute_not_exists(g)',
      promise: 'the grace is given after the session has ended',
    },
  ]),
  ...of('adapters/sweep-store.ts', [
    {
      find: 'attribute_not_exists(run) OR run = :run OR heldUntil < :now',
      replace: 'attribute_not_exists(nothing) OR run = :run OR heldUntil < :now',
      promise: 'two runs sweep at once',
    },
    {
      find: 'heldUntil < :now',
      replace: 'heldUntil < :now AND attribute_not_exists(run)',
      promise: 'a run that crashed blocks all others',
    },
    {
      find: 'ConsistentRead: true',
      replace: 'ConsistentRead: false',
      promise: 'a key in use counts as unused',
    },
    {
      find: "FilterExpression: 'begins_with(pk, :user)'",
      replace: "FilterExpression: 'pk <> :user'",
      promise: 'items that are not records count as unreadable records',
    },
    {
      find: '} = :read`',
      replace: '} = :read OR attribute_exists(pk)`',
      promise: 'the sweep restores an old state',
    },
    {
      find: "sub: sub.join('#')",
      replace: "sub: sub[0] ?? ''",
      promise: 'a user whose sub contains a # is never resealed',
    },
  ]),
];
