import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { lengthPrefixed } from '../../core/user.ts';
import { anyText } from '../support/any-text.ts';

test('no two lists of parts give the same bytes', () => {
  const part = anyText({ maxLength: 8 });
  const parts = fc.array(part, { maxLength: 5 });
  fc.assert(
    fc.property(parts, parts, (one, other) => {
      const same = JSON.stringify(one) === JSON.stringify(other);
      assert.equal(lengthPrefixed(...one).equals(lengthPrefixed(...other)), same);
    }),
  );
});

test('the same text divided at another place gives other bytes', () => {
  fc.assert(
    fc.property(anyText({ minLength: 1, maxLength: 12 }), fc.nat(), fc.nat(), (text, one, other) => {
      const letters = [...text];
      const at = (index: number) => index % (letters.length + 1);
      const divided = (index: number) =>
        lengthPrefixed(letters.slice(0, at(index)).join(''), letters.slice(at(index)).join(''));
      assert.equal(divided(one).equals(divided(other)), at(one) === at(other));
    }),
  );
});

test('the length counts bytes, not characters', () => {
  assert.deepEqual(
    lengthPrefixed('é', ''),
    Buffer.concat([Buffer.of(0, 0, 0, 2), Buffer.from('é'), Buffer.alloc(4)]),
  );
});
