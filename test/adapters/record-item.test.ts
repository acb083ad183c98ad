import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import type { Item } from '../../adapters/attributes.ts';
import { factorOf, itemOf } from '../../adapters/record-item.ts';
import type { Authenticator, Factor, PendingAuthenticator } from '../../core/factor.ts';
import { anyFactor } from '../support/any-factor.ts';
import { itemSize } from '../support/item-size.ts';
import { refusal } from '../support/refusal.ts';

const NOW = 1_800_000_123;
const random = (letters: number) => 'x'.repeat(letters);

const secret = (keyId = random(16)) => ({ keyId, box: new Uint8Array(1 + 12 + 20 + 16) });
const authenticator = (): Authenticator => ({
  kind: 'totp',
  id: random(16),
  // 64 bytes, the most a name may have.
  name: 'é'.repeat(32),
  secret: secret(),
  algorithm: 'SHA1',
  digits: 6,
  period: 30,
  lastStep: 60_000_001,
  createdAt: NOW,
  lastUsedAt: NOW,
});
const pendingOne = (): PendingAuthenticator => {
  const { lastStep: _step, createdAt: _created, lastUsedAt: _used, ...enrolled } = authenticator();
  return { ...enrolled, expiresAt: NOW, failures: 0 };
};
const digests = Array.from({ length: 10 }, (_, index) => new Uint8Array(16).fill(index));
const ordinary: Factor = {
  generation: random(16),
  changedAt: NOW,
  authenticators: [authenticator(), authenticator(), authenticator()],
  backupCodes: { set: random(16), keyId: random(16), digests },
  failures: 0,
  backupFailures: 0,
  lockedUntil: 0,
  recentFailures: [],
  answered: {},
  event: { type: 'authenticator.removed', at: NOW, method: 'backup_code' },
  writtenBy: random(16),
};
const stored = (factor: Factor, sub = random(36), realm = random(8)) =>
  itemSize({ pk: { S: `USER#${realm}#${sub}` }, ...itemOf(factor) });

test('every field comes back as it was', () => {
  fc.assert(
    fc.property(anyFactor, (factor) => {
      assert.deepEqual(factorOf(itemOf(factor)), factor);
    }),
  );
});

test('the size rules: names and values, 3 bytes a list or map, 1 an element', () => {
  const sizes: [Record<string, AttributeValue>, number][] = [
    [{ pk: { S: 'é' } }, 4],
    [{ n: { N: '27' } }, 3],
    [{ n: { N: '-1800000000' } }, 3],
    [{ n: { N: '12345' } }, 5],
    [{ b: { B: new Uint8Array(16) } }, 17],
    [{ t: { BOOL: true } }, 2],
    [{ s: { BS: [new Uint8Array(16), new Uint8Array(16)] } }, 33],
    [{ l: { L: [{ S: 'ab' }, { S: 'c' }] } }, 1 + 3 + 2 + 3],
    [{ m: { M: { k: { S: 'v' } } } }, 1 + 3 + 1 + 2],
  ];
  for (const [item, size] of sizes) assert.equal(itemSize(item), size, JSON.stringify(item));
});

test('three authenticators with the longest names, ten backup codes and an event stay below 1 KB', () => {
  assert.ok(stored(ordinary) < 1024, `${stored(ordinary)} bytes`);
});

test('with failures, a lock and a challenge answered besides they still do', () => {
  const busy: Factor = {
    ...ordinary,
    failures: 99,
    backupFailures: 99,
    lockedUntil: NOW,
    recentFailures: [{ span: 3472, count: 99 }],
    answered: { [random(16)]: NOW },
  };
  assert.ok(stored(busy) < 1024, `${stored(busy)} bytes`);
});

/** Five authenticators, a pending one, every field in use, so many challenges answered. */
const worst = (challenges: number): Factor => ({
  ...ordinary,
  askedToEnrollAt: NOW,
  provenBy: random(36),
  authenticators: Array.from({ length: 5 }, authenticator),
  pending: { ...authenticator(), expiresAt: NOW, failures: 4 },
  failures: 99,
  backupFailures: 99,
  stoppedAt: NOW,
  passwordSetAt: NOW,
  lockedUntil: NOW,
  recentFailures: Array.from({ length: 6 }, (_, index) => ({ span: 3467 + index, count: 299 })),
  answered: Object.fromEntries(
    Array.from({ length: challenges }, (_, index) => [String(index).padStart(16, '0'), NOW]),
  ),
});

test('five authenticators, a pending one and every field that an attempt writes stay below 2 KB', () => {
  const size = stored(worst(0), random(255), random(32));
  assert.ok(size < 2 * 1024, `${size} bytes`);
});

// A sign-in with Cognito is remembered longest, for 900 s. In that time each of five authenticators has a step to spend
// for every period, and those of the window.
test('the worst case of the default configuration stays below 6 KB', () => {
  const signIns = 5 * (900 / 30 + 3) + 10;
  const size = stored(worst(signIns), random(255), random(32));
  assert.ok(size < 6 * 1024, `${size} bytes`);
});

test('who did what last, and why, adds 800 bytes at most', () => {
  const act = { at: NOW, by: random(150), reason: random(200) };
  const administered = { ...act, type: 'account.unlocked', passwordChanged: true } as const;
  const revoked = { ...act, type: 'sessions.revoked' } as const;
  const added = stored({ ...ordinary, administered, revoked }) - stored(ordinary);
  assert.ok(added < 800, `${added} bytes`);
});

test('what a reset leaves, its ticket and who did it and why, stays below 1 KB', () => {
  const reset: Factor = {
    ...ordinary,
    authenticators: [],
    backupCodes: undefined,
    reset: { ticket: { id: random(16), keyId: random(16), digest: new Uint8Array(16), expiresAt: NOW } },
    administered: { type: 'admin.reset', at: NOW, by: random(120), reason: random(200) },
  };
  assert.ok(stored(reset) < 1024, `${stored(reset)} bytes`);
});

test("the worst case of any configuration stays below half of DynamoDB's 400 KB", () => {
  // The shortest period, the widest window, and every step spent on ten new backup codes.
  const signIns = 5 * (900 / 15 + 5) * 10;
  const size = stored(worst(signIns), random(255), random(32));
  assert.ok(size < 200 * 1024, `${size} bytes`);
});

const whole = itemOf({
  ...worst(1),
  administered: { type: 'admin.reset', at: NOW, by: random(120), reason: random(200) },
  revoked: { type: 'sessions.revoked', at: NOW, by: random(120) },
  reset: { ticket: { id: random(16), keyId: random(16), digest: new Uint8Array(16), expiresAt: NOW } },
});
const strange: AttributeValue[] = [
  { S: 'strange' },
  { N: '1' },
  { B: new Uint8Array(1) },
  { BOOL: true },
  { L: [{ S: 'strange' }] },
  { M: { strange: { S: 'strange' } } },
  { BS: [new Uint8Array(1)] },
  { NULL: true },
];
const typeOf = (value: AttributeValue | undefined) => Object.keys(value ?? {})[0];

for (const name of Object.keys(whole)) {
  test(`an item whose attribute ${name} is of another type is a fault, never "not enrolled"`, () => {
    for (const value of strange) {
      if (typeOf(value) === typeOf(whole[name]) && !['L', 'M'].includes(typeOf(value) ?? '')) continue;
      const read = () => factorOf({ ...whole, [name]: value } as Item);
      assert.throws(read, refusal('temporarily_unavailable'), JSON.stringify(value));
    }
  });
}

test('an item without the id of its last write is a fault', () => {
  for (const item of [{}, { pk: { S: 'USER#users#alice' } }, { ...whole, w: undefined }]) {
    assert.throws(() => factorOf(item as Item), refusal('temporarily_unavailable'));
  }
});

for (const parameters of [
  '',
  'SHA1',
  'SHA1/6',
  'SHA1/6/',
  'MD5/6/30',
  'SHA1/7/30',
  'SHA1/6/0',
  'SHA1/6/x',
  'SHA1/6/30/1',
]) {
  test(`an authenticator of "${parameters}" is a fault`, () => {
    const { a } = itemOf(ordinary);
    const [first] = a?.L ?? [];
    const item = { ...itemOf(ordinary), a: { L: [{ M: { ...first?.M, t: { S: parameters } } }] } } as Item;
    assert.throws(() => factorOf(item), refusal('temporarily_unavailable'));
  });
}

test('an item says the lowest version that does not misread it', () => {
  const { authenticators: _, ...without } = ordinary;
  const version = (factor: Partial<Factor>) => itemOf({ ...without, authenticators: [], ...factor })['v'];
  assert.deepEqual(version({}), { N: '1' });
  assert.deepEqual(version({ reset: { passwordAfter: NOW } }), { N: '2' });
  const pending = { ...authenticator(), expiresAt: NOW, failures: 0 };
  for (const factor of [{ authenticators: [authenticator()] }, { pending }]) {
    assert.deepEqual(version(factor), { N: '3' });
    assert.deepEqual(version({ ...factor, reset: { passwordAfter: NOW } }), { N: '3' });
  }
});

/** As version 2 and before stored it: without kinds. */
function asFormer(item: Item): Item {
  const bare = ({ M: { y: _, ...rest } = {} }: AttributeValue): AttributeValue => ({ M: rest });
  return {
    ...item,
    v: { N: '1' },
    a: { L: (item['a']?.L ?? []).map(bare) },
    ...(item['p'] && { p: bare(item['p']) }),
  };
}

test('an item of a former version is read, and written as one of the newest', () => {
  const factor: Factor = { ...ordinary, pending: { ...pendingOne(), failures: 2 } };
  const item = itemOf(factor);
  const former = asFormer(item);
  assert.notDeepEqual(former, item);
  const read = factorOf(former);
  assert.deepEqual(read, factorOf(item));
  assert.deepEqual(itemOf(read), item);
  assert.deepEqual([item['a']?.L?.[0]?.M?.['y'], item['p']?.M?.['y']], [{ S: 'totp' }, { S: 'totp' }]);
});

test('a kind that this version does not know is a fault, never "not enrolled"', () => {
  const item = itemOf({ ...ordinary, pending: pendingOne() });
  const strangeKind = (value: AttributeValue | undefined) => ({ M: { ...value?.M, y: { S: 'passkey' } } });
  for (const unknown of [
    { ...item, a: { L: [strangeKind(item['a']?.L?.[0])] } },
    { ...item, a: { L: [...(item['a']?.L ?? []), strangeKind(item['a']?.L?.[0])] } },
    { ...item, p: strangeKind(item['p']) },
  ]) {
    assert.throws(() => factorOf(unknown), refusal('temporarily_unavailable'));
  }
});

test('an item of a newer version is a fault, never "not enrolled"', () => {
  const item = { ...itemOf({ ...ordinary, authenticators: [] }), v: { N: '4' } };
  assert.throws(() => factorOf(item), refusal('temporarily_unavailable'));
});

test('failures of which half is missing are a fault', () => {
  const item = { ...itemOf(ordinary), r: { L: [{ N: '3472' }, { N: '2' }, { N: '3473' }] } } as Item;
  assert.throws(() => factorOf(item), refusal('temporarily_unavailable'));
});

test('what a former version called an event is read by its new name', () => {
  const seen = (type: string) =>
    factorOf({ ...itemOf(ordinary), e: { M: { t: { S: type }, a: { N: '9' } } } }).event;
  assert.deepEqual(seen('confirmed'), { type: 'authenticator.added', at: 9 });
  assert.deepEqual(seen('sessions_revoked'), { type: 'sessions.revoked', at: 9 });
  // These did not say what was asked for.
  for (const type of ['accepted', 'refused']) assert.deepEqual(seen(type), { type, at: 9 });

  const act = { t: { S: 'unlocked' }, a: { N: '9' }, b: { S: 'arn' } };
  const { administered } = factorOf({ ...itemOf(ordinary), ad: { M: act } });
  assert.deepEqual(administered, { type: 'account.unlocked', at: 9, by: 'arn' });
});

test('backup codes that are no set of bytes are a fault, never "none left"', () => {
  const item = itemOf(ordinary);
  const d = { S: 'strange' };
  assert.throws(
    () => factorOf({ ...item, b: { M: { ...item['b']?.M, d } } }),
    refusal('temporarily_unavailable'),
  );
});
