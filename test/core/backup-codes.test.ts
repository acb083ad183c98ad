import assert from 'node:assert/strict';
import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { consumeCode, newBackupCodes } from '../../core/backup-codes.ts';
import type { BackupCodes } from '../../core/factor.ts';
import { typedCode, typedRecoveryCode } from '../../core/typed-code.ts';
import { lengthPrefixed } from '../../core/user.ts';

const raw = randomBytes(32);
const key = { id: 'k1', key: createSecretKey(raw) };
const user = { realm: 'users', sub: 'alice' };
const { codes, stored } = newBackupCodes(user, key);
/** As they are read when they are typed. */
const bare = codes.map(typedCode);
const [first = ''] = bare;

test('ten different codes of 80 bits, grouped for reading', () => {
  assert.equal(new Set(codes).size, 10);
  // Crockford's alphabet has 32 letters: 16 of them are 80 bits.
  for (const code of codes) assert.match(code, /^([0-9a-hjkmnp-tv-z]{4}-){3}[0-9a-hjkmnp-tv-z]{4}$/);
});

test('every letter of the alphabet is as likely as any other', () => {
  const letters = Array.from({ length: 200 }, () =>
    newBackupCodes(user, key).codes.join('').replaceAll('-', ''),
  ).join('');
  const counts = Map.groupBy(letters, (letter) => letter);
  assert.equal(counts.size, 32);
  // 1000 expected of each: nine standard deviations either way.
  for (const [letter, { length }] of counts) assert.ok(length > 700 && length < 1300, `${letter}: ${length}`);
});

test('each code is accepted once and leaves the others', () => {
  let left: BackupCodes = stored;
  for (const [used, code] of bare.entries()) {
    const next = consumeCode(code, user, left, key);
    assert.equal(next?.digests.length, 9 - used);
    assert.ok(next);
    assert.equal(consumeCode(code, user, next, key), undefined);
    left = next;
  }
});

test('a digest copied from an older set does not count in the newer one', () => {
  const newer = newBackupCodes(user, key);
  assert.notEqual(newer.stored.set, stored.set);
  const mixed = { ...newer.stored, digests: [...newer.stored.digests, ...stored.digests] };
  for (const code of codes) assert.equal(consumeCode(code, user, mixed, key), undefined);
});

test('a code is accepted in either case, o for 0 and i or l for 1', () => {
  const twins: Record<string, string[]> = { 0: ['0', 'o', 'O'], 1: ['1', 'i', 'I', 'l', 'L'] };
  const choices = fc.array(fc.nat(), { minLength: 16, maxLength: 16 });
  fc.assert(
    fc.property(fc.constantFrom(...bare), choices, (code, choice) => {
      const letters = [...code].map((letter, index) => {
        const forms = twins[letter] ?? [letter, letter.toUpperCase()];
        return forms[(choice[index] ?? 0) % forms.length];
      });
      assert.equal(consumeCode(typedRecoveryCode(letters.join('')), user, stored, key)?.digests.length, 9);
    }),
  );
});

const elsewhere: [string, () => BackupCodes | undefined][] = [
  ['another user', () => consumeCode(first, { ...user, sub: 'bob' }, stored, key)],
  ['the same user of another realm', () => consumeCode(first, { ...user, realm: 'partners' }, stored, key)],
  ['another set', () => consumeCode(first, user, { ...stored, set: 'another' }, key)],
  ['another key id', () => consumeCode(first, user, stored, { ...key, id: 'k2' })],
  ['another key', () => consumeCode(first, user, stored, { ...key, key: createSecretKey(randomBytes(32)) })],
];
for (const [where, found] of elsewhere) {
  test(`a code is refused for ${where}`, () => assert.equal(found(), undefined));
}

test('a known answer: HMAC-SHA-256 over realm, user, set, key and code, cut to 128 bits', () => {
  const digests = bare.map((code) =>
    createHmac('sha256', raw)
      .update(lengthPrefixed('countersign', 'v1', 'backup-code', 'users', 'alice', stored.set, 'k1', code))
      .digest('hex')
      .slice(0, 32),
  );
  assert.deepEqual(
    stored.digests.map((digest) => Buffer.from(digest).toString('hex')),
    digests,
  );
});
