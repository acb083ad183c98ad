import assert from 'node:assert/strict';
import { createCipheriv, createDecipheriv, createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { type DataKey, open, seal } from '../../core/sealed.ts';

const raw = Buffer.from('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', 'hex');
const key: DataKey = { id: 'k1', key: createSecretKey(raw) };
const user = { realm: 'users', sub: 'alice' };
const secret = Buffer.from('12345678901234567890');
const sealed = seal(secret, user, 'a1', key);

// What follows is written from RFC 5869 and the primitives alone.
const place = Buffer.concat(
  ['countersign', 'v1', 'totp-secret', 'users', 'alice', 'a1', 'k1'].flatMap((part) => [
    Buffer.of(0, 0, 0, part.length),
    Buffer.from(part),
  ]),
);
const extracted = createHmac('sha256', Buffer.alloc(32)).update(raw).digest();
const derived = createHmac('sha256', extracted).update(place).update(Buffer.of(1)).digest();

test('a sealed secret opens at its own place', () => {
  assert.deepEqual(open(sealed, user, 'a1', key), secret);
});

test('a known answer: version 1, nonce, AES-256-GCM under HKDF-SHA-256, tag', () => {
  const nonce = Buffer.from('cafebabefacedbaddecaf888', 'hex');
  const cipher = createCipheriv('aes-256-gcm', derived, nonce).setAAD(place);
  const ciphertext = Buffer.concat([cipher.update(secret), cipher.final()]);
  const box = Buffer.concat([Buffer.of(1), nonce, ciphertext, cipher.getAuthTag()]);
  assert.deepEqual(open({ keyId: 'k1', box }, user, 'a1', key), secret);

  const made = Buffer.from(sealed.box);
  assert.equal(made.length, 1 + 12 + 20 + 16);
  const decipher = createDecipheriv('aes-256-gcm', derived, made.subarray(1, 13));
  decipher.setAAD(place).setAuthTag(made.subarray(-16));
  assert.deepEqual(Buffer.concat([decipher.update(made.subarray(13, -16)), decipher.final()]), secret);
});

const elsewhere: [string, () => Uint8Array | undefined][] = [
  ['another user', () => open(sealed, { ...user, sub: 'bob' }, 'a1', key)],
  ['another realm', () => open(sealed, { ...user, realm: 'partners' }, 'a1', key)],
  ['another authenticator', () => open(sealed, user, 'a2', key)],
  ['another key id over the same key', () => open(sealed, user, 'a1', { ...key, id: 'k2' })],
  [
    'another key under the same id',
    () => open(sealed, user, 'a1', { id: 'k1', key: createSecretKey(randomBytes(32)) }),
  ],
  ['realm and user divided elsewhere', () => open(sealed, { realm: 'usersa', sub: 'lice' }, 'a1', key)],
  ['user and authenticator divided elsewhere', () => open(sealed, { ...user, sub: 'alicea' }, '1', key)],
];
for (const [where, opened] of elsewhere) {
  test(`a sealed secret does not open for ${where}`, () => assert.equal(opened(), undefined));
}

test('a sealed secret with any one bit altered does not open', () => {
  for (let at = 0; at < sealed.box.length * 8; at++) {
    const box = Buffer.from(sealed.box);
    box[at >> 3] = (box[at >> 3] ?? 0) ^ (1 << (at & 7));
    assert.equal(open({ ...sealed, box }, user, 'a1', key), undefined, `bit ${at}`);
  }
});

test('a sealed secret cut short or lengthened does not open', () => {
  for (let length = 0; length < sealed.box.length; length++) {
    assert.equal(open({ ...sealed, box: sealed.box.subarray(0, length) }, user, 'a1', key), undefined);
  }
  assert.equal(
    open({ ...sealed, box: Buffer.concat([sealed.box, Buffer.of(0)]) }, user, 'a1', key),
    undefined,
  );
});

test('the same secret sealed twice gives two nonces and two ciphertexts', () => {
  const again = seal(secret, user, 'a1', key);
  assert.notDeepEqual(again.box.subarray(1, 13), sealed.box.subarray(1, 13));
  assert.notDeepEqual(again.box.subarray(13), sealed.box.subarray(13));
});

test('the longest user id an issuer may give can be sealed for', () => {
  // OpenID Connect Core §2 allows 255 characters; of three bytes each they still fit what HKDF takes.
  const longest = { realm: 'r'.repeat(32), sub: '漢'.repeat(255) };
  assert.deepEqual(open(seal(secret, longest, 'a1', key), longest, 'a1', key), secret);
});
