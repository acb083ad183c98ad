import assert from 'node:assert/strict';
import { createCipheriv, createDecipheriv, createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { DataKey } from '../../../core/ports.ts';
import type { TotpParameters } from '../../../core/totp/data.ts';
import { inForce, isOutdated, open, type Place, seal, waiting } from '../../../core/totp/sealed.ts';

const raw = Buffer.from('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', 'hex');
const key: DataKey = { id: 'k1', key: createSecretKey(raw) };
const user = { realm: 'users', sub: 'alice' };
const secret = Buffer.from('12345678901234567890');
const parameters: TotpParameters = { algorithm: 'SHA1', digits: 6, period: 30 };
const authenticator = { id: 'a1', ...parameters };
const place = inForce(authenticator);
const enrollment = { ...authenticator, expiresAt: 1_800_000_600 };
const pending = waiting(enrollment, { generation: 'g1' });
const sealed = seal(secret, user, place, key);
const sealedPending = seal(secret, user, pending, key);

// What follows is written from RFC 5869 and the primitives alone.
const bytesOf = (...parts: string[]) =>
  Buffer.concat(parts.flatMap((part) => [Buffer.of(0, 0, 0, part.length), Buffer.from(part)]));
const derivedFor = (bound: Buffer) => {
  const extracted = createHmac('sha256', Buffer.alloc(32)).update(raw).digest();
  return createHmac('sha256', extracted).update(bound).update(Buffer.of(1)).digest();
};
function boxOf(version: number, bound: Buffer): Buffer {
  const nonce = Buffer.from('cafebabefacedbaddecaf888', 'hex');
  const cipher = createCipheriv('aes-256-gcm', derivedFor(bound), nonce).setAAD(bound);
  const ciphertext = Buffer.concat([cipher.update(secret), cipher.final()]);
  return Buffer.concat([Buffer.of(version), nonce, ciphertext, cipher.getAuthTag()]);
}
const names = ['totp-secret', 'users', 'alice', 'a1', 'k1'];
const version1 = bytesOf('countersign', 'v1', ...names);
const version2 = bytesOf('countersign', 'v2', ...names, 'SHA1', '6', '30');
const bounds = {
  'in force': { place, bound: Buffer.concat([version2, bytesOf('in-force')]) },
  waiting: { place: pending, bound: Buffer.concat([version2, bytesOf('pending', '1800000600', 'g1')]) },
};

test('a sealed secret opens at its own place', () => {
  assert.deepEqual(open(sealed, user, place, key), secret);
  assert.deepEqual(open(sealedPending, user, pending, key), secret);
});

for (const [where, { place, bound }] of Object.entries(bounds)) {
  test(`a known answer, ${where}: version 2, nonce, AES-256-GCM under HKDF-SHA-256, tag`, () => {
    assert.deepEqual(open({ keyId: 'k1', box: boxOf(2, bound) }, user, place, key), secret);

    const made = Buffer.from(seal(secret, user, place, key).box);
    assert.equal(made.length, 1 + 12 + 20 + 16);
    const decipher = createDecipheriv('aes-256-gcm', derivedFor(bound), made.subarray(1, 13));
    decipher.setAAD(bound).setAuthTag(made.subarray(-16));
    assert.deepEqual(Buffer.concat([decipher.update(made.subarray(13, -16)), decipher.final()]), secret);
  });
}

test('a box of version 1 opens still, and is to be sealed anew', () => {
  const old = { keyId: 'k1', box: boxOf(1, version1) };
  assert.deepEqual(open(old, user, place, key), secret);
  assert.deepEqual(open(old, user, pending, key), secret);
  assert.equal(open(old, { ...user, sub: 'bob' }, place, key), undefined);
  assert.equal(isOutdated(old, key), true);
  assert.equal(isOutdated(sealed, key), false);
  assert.equal(isOutdated(sealed, { ...key, id: 'k2' }), true);
});

test('the version in a box decides what it is bound to: neither opens as the other', () => {
  for (const [version, bound] of [
    [1, bounds['in force'].bound],
    [2, version1],
    [3, bounds['in force'].bound],
  ] as const) {
    assert.equal(open({ keyId: 'k1', box: boxOf(version, bound) }, user, place, key), undefined);
  }
});

const at = (change: Partial<Place>) => open(sealed, user, { ...place, ...change }, key);
const waitingAt = (change: Partial<typeof enrollment>, generation = 'g1') =>
  open(sealedPending, user, waiting({ ...enrollment, ...change }, { generation }), key);
const elsewhere: [string, () => Uint8Array | undefined][] = [
  ['another user', () => open(sealed, { ...user, sub: 'bob' }, place, key)],
  ['another realm', () => open(sealed, { ...user, realm: 'partners' }, place, key)],
  ['another authenticator', () => at({ authenticatorId: 'a2' })],
  ['another algorithm', () => at({ algorithm: 'SHA256' })],
  ['another number of digits', () => at({ digits: 8 })],
  ['another period', () => at({ period: 60 })],
  ['a place where it waits', () => open(sealed, user, pending, key)],
  ['a place in force, where it was to wait', () => open(sealedPending, user, place, key)],
  ['another end of the waiting', () => waitingAt({ expiresAt: enrollment.expiresAt + 1 })],
  ['another generation', () => waitingAt({}, 'g2')],
  ['another period while it waits', () => waitingAt({ period: 60 })],
  ['another key id over the same key', () => open(sealed, user, place, { ...key, id: 'k2' })],
  [
    'another key under the same id',
    () => open(sealed, user, place, { id: 'k1', key: createSecretKey(randomBytes(32)) }),
  ],
  ['realm and user divided elsewhere', () => open(sealed, { realm: 'usersa', sub: 'lice' }, place, key)],
  [
    'user and authenticator divided elsewhere',
    () => open(sealed, { ...user, sub: 'alicea' }, { ...place, authenticatorId: '1' }, key),
  ],
  ['names longer than what can be derived from', () => at({ authenticatorId: 'a'.repeat(2000) })],
];
for (const [where, opened] of elsewhere) {
  test(`a sealed secret does not open for ${where}`, () => assert.equal(opened(), undefined));
}

test('a sealed secret with any one bit altered does not open', () => {
  for (let at = 0; at < sealed.box.length * 8; at++) {
    const box = Buffer.from(sealed.box);
    box[at >> 3] = (box[at >> 3] ?? 0) ^ (1 << (at & 7));
    assert.equal(open({ ...sealed, box }, user, place, key), undefined, `bit ${at}`);
  }
});

test('a sealed secret cut short or lengthened does not open', () => {
  for (let length = 0; length < sealed.box.length; length++) {
    assert.equal(open({ ...sealed, box: sealed.box.subarray(0, length) }, user, place, key), undefined);
  }
  assert.equal(
    open({ ...sealed, box: Buffer.concat([sealed.box, Buffer.of(0)]) }, user, place, key),
    undefined,
  );
});

test('the same secret sealed twice gives two nonces and two ciphertexts', () => {
  const again = seal(secret, user, place, key);
  assert.notDeepEqual(again.box.subarray(1, 13), sealed.box.subarray(1, 13));
  assert.notDeepEqual(again.box.subarray(13), sealed.box.subarray(13));
});

test('the longest user id an issuer may give can be sealed for', () => {
  // OpenID Connect Core §2 allows 255 characters; of three bytes each they still fit what HKDF takes.
  const longest = { realm: 'r'.repeat(32), sub: '漢'.repeat(255) };
  const generation = 'g'.repeat(16);
  const longestPlace = waiting(
    { ...enrollment, id: 'a'.repeat(16), algorithm: 'SHA512', period: 86_400 },
    { generation },
  );
  const longestKey = { ...key, id: 'k'.repeat(16) };
  const box = seal(secret, longest, longestPlace, longestKey);
  assert.deepEqual(open(box, longest, longestPlace, longestKey), secret);
});
