import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unavailable } from '../core/error.ts';
import type {
  Administered,
  Authenticator,
  BackupCodes,
  Factor,
  LastEvent,
  PendingAuthenticator,
  Reset,
} from '../core/factor.ts';
import {
  type Item,
  number,
  present,
  readBinary,
  readList,
  readMap,
  readNumber,
  readSet,
  readText,
  text,
} from './attributes.ts';
import { pendingTotpItem, readPendingTotp, readTotp, totpItem } from './totp-item.ts';

/**
 * The newest form of an item. Versions of the code run side by side while a deployment is under way, and older code refuses a
 * higher number. Code of version 1 would take a reset (2) for "not enrolled". Code of version 2 would take an authenticator of
 * any kind (3) for an authenticator app, so every item with an authenticator says 3.
 */
const VERSION = 3;

function versionOf({ authenticators, pending, reset }: Factor): number {
  if (authenticators.length > 0 || pending) return VERSION;
  return reset ? 2 : 1;
}

/** The attribute that holds the version. */
export const ITEM_VERSION = 'v';

/** The attribute that holds the id of the last write. */
export const WRITTEN_BY = 'w';

/**
 * The record as a DynamoDB item. Every attribute is named here and nowhere else; names are short because an item of up to
 * 1 KB costs one write unit. Empty and zero values are left out.
 */
export function itemOf(factor: Factor): Item {
  return present({
    [ITEM_VERSION]: number(versionOf(factor)),
    g: factor.generation ? text(factor.generation) : undefined,
    c: factor.changedAt ? number(factor.changedAt) : undefined,
    pb: factor.provenBy === undefined ? undefined : text(factor.provenBy),
    a: factor.authenticators.length > 0 ? { L: factor.authenticators.map(authenticatorItem) } : undefined,
    p: factor.pending && pendingItem(factor.pending),
    // The key and the id of the set stay while its last code is used: DynamoDB has no empty sets.
    b: factor.backupCodes && backupItem(factor.backupCodes),
    f: factor.failures ? number(factor.failures) : undefined,
    bf: factor.backupFailures ? number(factor.backupFailures) : undefined,
    so: factor.stoppedAt === undefined ? undefined : number(factor.stoppedAt),
    l: factor.lockedUntil ? number(factor.lockedUntil) : undefined,
    r:
      factor.recentFailures.length > 0
        ? { L: factor.recentFailures.flatMap(({ span, count }) => [number(span), number(count)]) }
        : undefined,
    x:
      Object.keys(factor.answered).length > 0
        ? { M: Object.fromEntries(Object.entries(factor.answered).map(([id, at]) => [id, number(at)])) }
        : undefined,
    e: factor.event && eventItem(factor.event),
    q: factor.askedToEnrollAt === undefined ? undefined : number(factor.askedToEnrollAt),
    rs: factor.reset && resetItem(factor.reset),
    ps: factor.passwordSetAt === undefined ? undefined : number(factor.passwordSetAt),
    ad: factor.administered && administeredItem(factor.administered),
    rv: factor.revoked && administeredItem(factor.revoked),
    [WRITTEN_BY]: factor.writtenBy === undefined ? undefined : text(factor.writtenBy),
  });
}

/** Returns the record of an item. An unreadable item is a fault, never an empty record, which would mean "not enrolled". */
export function factorOf(item: Item): Factor {
  // A newer version's record may mean what this one does not know: that is not "not enrolled" either.
  if (item[ITEM_VERSION] && readNumber(item[ITEM_VERSION]) > VERSION) throw unavailable();
  return {
    generation: item['g'] ? readText(item['g']) : '',
    changedAt: item['c'] ? readNumber(item['c']) : 0,
    provenBy: item['pb'] && readText(item['pb']),
    authenticators: item['a'] ? readList(item['a']).map((one) => readAuthenticator(readMap(one))) : [],
    pending: item['p'] && readPending(readMap(item['p'])),
    backupCodes: item['b'] && readBackup(item['b'].M),
    failures: item['f'] ? readNumber(item['f']) : 0,
    backupFailures: item['bf'] ? readNumber(item['bf']) : 0,
    stoppedAt: item['so'] && readNumber(item['so']),
    lockedUntil: item['l'] ? readNumber(item['l']) : 0,
    recentFailures: item['r'] ? readSpans(readList(item['r'])) : [],
    answered: item['x'] ? readTimes(readMap(item['x'])) : {},
    event: item['e'] && readEvent(readMap(item['e'])),
    askedToEnrollAt: item['q'] && readNumber(item['q']),
    reset: item['rs'] && readReset(readMap(item['rs'])),
    passwordSetAt: item['ps'] && readNumber(item['ps']),
    administered: item['ad'] && readAdministered(readMap(item['ad'])),
    revoked: item['rv'] && readAdministered(readMap(item['rv'])),
    writtenBy: readText(item[WRITTEN_BY]),
  };
}

function readSpans(list: AttributeValue[]): Factor['recentFailures'] {
  const numbers = list.map(readNumber);
  if (numbers.length % 2 !== 0) throw unavailable();
  return numbers.flatMap((span, index) => {
    const count = numbers[index + 1];
    return index % 2 === 0 && count !== undefined ? [{ span, count }] : [];
  });
}

function readTimes(map: Item): Record<string, number> {
  return Object.fromEntries(Object.entries(map).map(([id, at]) => [id, readNumber(at)]));
}

function eventItem({ type, at, method }: LastEvent): AttributeValue {
  return { M: present({ t: text(type), a: number(at), m: method === undefined ? undefined : text(method) }) };
}

/**
 * The event names of items of version 2 and before. `accepted` and `refused` did not say what was asked for, so they are
 * shown as they are.
 */
const FORMER_TYPES = new Map([
  ['ticket_accepted', 'login.succeeded'],
  ['enrolling', 'enrollment.started'],
  ['confirmed', 'authenticator.added'],
  ['disabled', 'authenticator.removed'],
  ['rotated', 'backup_codes.rotated'],
  ['unlocked', 'account.unlocked'],
  ['reset', 'admin.reset'],
  ['sessions_revoked', 'sessions.revoked'],
  ['asked_to_enroll', 'enrollment.requested'],
]);

/** A type that a newer version knows is only shown. */
function readType(value: AttributeValue | undefined): string {
  const type = readText(value);
  return FORMER_TYPES.get(type) ?? type;
}

function readEvent(map: Item): LastEvent {
  return {
    type: readType(map['t']),
    at: readNumber(map['a']),
    ...(map['m'] && { method: readText(map['m']) }),
  };
}

function authenticatorItem(authenticator: Authenticator): AttributeValue {
  const { createdAt, lastUsedAt } = authenticator;
  const own = totpItem(authenticator);
  return { M: { ...nameItem(authenticator), ...own, c: number(createdAt), u: number(lastUsedAt) } };
}

function readAuthenticator(item: Item): Authenticator {
  const base = { ...readName(item), createdAt: readNumber(item['c']), lastUsedAt: readNumber(item['u']) };
  switch (readKind(item)) {
    case 'totp':
      return { ...base, ...readTotp(item) };
  }
}

function pendingItem(pending: PendingAuthenticator): AttributeValue {
  const { expiresAt, failures } = pending;
  const own = pendingTotpItem(pending);
  const f = failures ? number(failures) : undefined;
  return { M: present({ ...nameItem(pending), ...own, x: number(expiresAt), f }) };
}

function readPending(item: Item): PendingAuthenticator {
  const failures = item['f'] ? readNumber(item['f']) : 0;
  const base = { ...readName(item), expiresAt: readNumber(item['x']), failures };
  switch (readKind(item)) {
    case 'totp':
      return { ...base, ...readPendingTotp(item) };
  }
}

function nameItem({ kind, id, name }: Authenticator | PendingAuthenticator): Item {
  return { y: text(kind), i: text(id), n: text(name) };
}

function readName(item: Item): { id: string; name: string } {
  return { id: readText(item['i']), name: readText(item['n']) };
}

/** Items of version 2 and before name no kind: they hold authenticator apps only. Any kind not known here is a fault. */
function readKind({ y }: Item): Authenticator['kind'] {
  const kind = y ? readText(y) : 'totp';
  if (kind !== 'totp') throw unavailable();
  return kind;
}

function backupItem({ set, keyId, digests }: BackupCodes): AttributeValue {
  return {
    M: present({ i: text(set), k: text(keyId), d: digests.length > 0 ? { BS: digests } : undefined }),
  };
}

function readBackup(item: Item | undefined): BackupCodes {
  return {
    set: readText(item?.['i']),
    keyId: readText(item?.['k']),
    digests: item?.['d'] ? readSet(item['d']) : [],
  };
}

function resetItem({ passwordAfter, ticket }: Reset): AttributeValue {
  return {
    M: present({
      p: passwordAfter === undefined ? undefined : number(passwordAfter),
      t: ticket && {
        M: {
          i: text(ticket.id),
          k: text(ticket.keyId),
          d: { B: ticket.digest },
          x: number(ticket.expiresAt),
        },
      },
    }),
  };
}

function readReset({ p, t }: Item): Reset {
  // A reset that wants nothing would be the old password alone.
  if (!p && !t) throw unavailable();
  const ticket = t && readMap(t);
  return {
    passwordAfter: p && readNumber(p),
    ticket: ticket && {
      id: readText(ticket['i']),
      keyId: readText(ticket['k']),
      digest: readBinary(ticket['d']),
      expiresAt: readNumber(ticket['x']),
    },
  };
}

function administeredItem({ type, at, by, reason, passwordChanged }: Administered): AttributeValue {
  return {
    M: present({
      t: text(type),
      a: number(at),
      b: text(by),
      r: reason === undefined ? undefined : text(reason),
      p: passwordChanged && { BOOL: true },
    }),
  };
}

function readAdministered(map: Item): Administered {
  return {
    type: readType(map['t']) as Administered['type'],
    at: readNumber(map['a']),
    by: readText(map['b']),
    ...(map['r'] && { reason: readText(map['r']) }),
    ...(map['p'] && { passwordChanged: true as const }),
  };
}
