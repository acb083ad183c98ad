import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { lengthPrefixed, subjectOf, userOfSubject } from '../../core/user.ts';
import { anyText } from '../support/any-text.ts';

/** Parts of which names that could be taken for each other are made. */
const realm = fc.constantFrom('users', 'partners', 'partner', 's');
const sub = fc
  .array(fc.constantFrom('users', 'partners', '|', 's', 'a', '', 'x'.repeat(240)), { maxLength: 4 })
  .map((parts) => parts.join(''));
const user = fc.record({ realm, sub }, { noNullPrototype: true });

test('no two users have one sub in tokens, and each is found again by it', () => {
  fc.assert(
    fc.property(user, user, (one, other) => {
      const [first, second] = [subjectOf(one, 'users'), subjectOf(other, 'users')];
      if (first === undefined) return;
      assert.ok(first.length <= 255);
      assert.deepEqual(userOfSubject(first, one.realm, 'users'), one);
      const same = one.realm === other.realm && one.sub === other.sub;
      assert.equal(first === second, same);
    }),
    { numRuns: 2000 },
  );
});

test('a sub fits one realm only', () => {
  fc.assert(
    fc.property(sub, realm, realm, (subject, one, other) => {
      const both = [one, other].map((realm) => userOfSubject(subject, realm, 'users'));
      if (one !== other) assert.ok(both.includes(undefined));
    }),
    { numRuns: 2000 },
  );
});

test('a home user keeps the plain sub; without one, too long, or with a | at home there is none', () => {
  const of = (sub: string, realm = 'users') => subjectOf({ realm, sub }, 'users');
  assert.deepEqual([of('alice'), of('alice', 'partners')], ['alice', 'partners|alice']);
  assert.deepEqual([of('x'.repeat(255))?.length, of('x'.repeat(246), 'partners')?.length], [255, 255]);
  for (const none of [of(''), of('', 'partners'), of('x'.repeat(256)), of('x'.repeat(247), 'partners')])
    assert.equal(none, undefined);
  assert.deepEqual([of('a|b'), of('a|b', 'partners')], [undefined, 'partners|a|b']);
});

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
