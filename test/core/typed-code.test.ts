import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BACKUP_CODE, CODE, LONGEST_TYPED, typedCode, typedRecoveryCode } from '../../core/typed-code.ts';

const ways: [way: string, typed: string][] = [
  ['as it is', '123456'],
  ['with a space, as apps show it', '123 456'],
  ['with a dash', '123-456'],
  ['with spaces and a line end around it', ' \t123456\r\n'],
  ['with a no-break space', '123\u00a0456'],
  ['with a narrow no-break space', '123\u202f456'],
  ['with a thin and an ideographic space', '123\u2009\u3000456'],
  ['with a zero-width space, joiners and a word joiner', '1\u200b2\u200c3\u200d4\u206056'],
  ['with a byte order mark', '\ufeff123456'],
  ['between marks of direction', '\u200e\u202a123456\u202c'],
  ['with a hyphen that does not break', '123\u2011456'],
  ['with a figure, an en and an em dash', '12\u201234\u2013\u201456'],
  ['with a minus sign', '123\u2212456'],
  ['with a soft hyphen', '123\u00ad456'],
  ['with a full-width and a small hyphen', '12\uff0d34\ufe6356'],
  ['in full-width digits', '１２３４５６'],
  ['in full-width digits with the dashes of a Japanese keyboard', '１２\u30fc３４\uff70５６'],
  ['in full-width digits with a wave dash', '１２３\u301c４５６'],
];
for (const [way, typed] of ways) {
  test(`a code typed ${way} is the same code`, () => assert.equal(typedCode(typed), '123456'));
}

/** Everything that may stand around and between the characters of a code. */
const between = [
  ...' \t\n\v\f\r\u00a0\u1680\u2000\u2003\u2007\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff',
  ...'\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202e\u2060\u2066\u2069\u00ad',
  ...'-\u058a\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2e3a\u301c\u3030\u30fc\ufe58\ufe63\uff0d\uff70',
];
const fullWidth = (letter: string) => String.fromCodePoint((letter.codePointAt(0) ?? 0) + 0xfee0);

test('a code and a backup code are the same in whatever width and with whatever between', () => {
  const codes = fc.stringMatching(/^([0-9]{6}|[0-9]{8}|[0-9A-Za-z]{16})$/);
  const gaps = fc.array(fc.array(fc.constantFrom(...between), { maxLength: 2 }), {
    minLength: 17,
    maxLength: 17,
  });
  const widths = fc.array(fc.boolean(), { minLength: 16, maxLength: 16 });
  fc.assert(
    fc.property(codes, gaps, widths, (code, gaps, widths) => {
      const letters = [...code].map((letter, index) => (widths[index] ? fullWidth(letter) : letter));
      const typed = letters.map((letter, index) => `${gaps[index]?.join('')}${letter}`).join('');
      assert.equal(typedCode(typed + gaps[16]?.join('')), code);
    }),
  );
});

test('a backup code spread out by a dash or a space at every character is not too long', () => {
  assert.ok([...'abcd0123efgh4567'].join(' - ').length <= LONGEST_TYPED);
});

test('what is left is judged as it stands: nothing but spaces and dashes is taken away', () => {
  for (const wrong of [
    '',
    '12345',
    '1234567',
    '123456789',
    '12345a',
    '123.456',
    '123,456',
    '123_456',
    '+123456',
    '#123456',
    '123\u0000456',
    '1\u03012345',
    '١٢٣٤٥٦',
    '१२३४५६',
    '123\ud800456',
    '0x1234',
    '1e5000',
  ]) {
    assert.doesNotMatch(typedCode(wrong), CODE, JSON.stringify(wrong));
  }
  for (const wrong of [
    '',
    'a'.repeat(15),
    'a'.repeat(17),
    'abcd_efgh_0123_4567',
    'abcd.efgh.0123.456',
    'é'.repeat(16),
    'İ'.repeat(8),
    '\u0130'.repeat(16),
    'а'.repeat(16),
  ]) {
    assert.doesNotMatch(typedRecoveryCode(wrong), BACKUP_CODE, JSON.stringify(wrong));
  }
});

test('any text is read to a code, a backup code or neither, never both, and reading twice changes nothing', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: LONGEST_TYPED, unit: 'binary' }), (typed) => {
      const code = typedCode(typed);
      const recovery = typedRecoveryCode(typed);
      assert.ok(!(CODE.test(code) && BACKUP_CODE.test(recovery)));
      if (CODE.test(code)) assert.equal(typedCode(code), code);
      if (BACKUP_CODE.test(recovery)) assert.equal(typedRecoveryCode(recovery), recovery);
    }),
  );
});
