import fc from 'fast-check';

const letter = fc.oneof(
  fc.integer({ min: 0x20, max: 0x7e }),
  fc.integer({ min: 0, max: 0xd7ff }),
  fc.integer({ min: 0xe000, max: 0x10ffff }),
);

/** Returns any well-formed text, from every code point except the surrogates. */
export function anyText(constraints: { minLength?: number; maxLength: number }): fc.Arbitrary<string> {
  return fc.array(letter, constraints).map((points) => String.fromCodePoint(...points));
}
