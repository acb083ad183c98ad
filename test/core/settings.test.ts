import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as v from 'valibot';
import { guessFault, Settings } from '../../core/settings.ts';

type Given = v.InferInput<typeof Settings>;
const faultsOf = (given: Given) => v.safeParse(Settings, given).issues?.map(({ message }) => message) ?? [];
const takes = (settings: unknown) => v.is(Settings, settings);

test('by default 300 guesses against fifteen codes of a million are 0.45 %, and that is allowed', () => {
  assert.deepEqual(faultsOf({}), []);
});

const bounds: [what: string, given: Given, percent: number | undefined][] = [
  ['333 failures', { limits: { stopWithin30Days: 333 } }, undefined],
  ['334 failures', { limits: { stopWithin30Days: 334 } }, 0.501],
  ['the most failures', { limits: { stopWithin30Days: 1000 } }, 1.5],
  ['the widest window', { totp: { window: 2 } }, 0.75],
  ['the widest window, fewer authenticators', { totp: { window: 2, authenticators: 3 } }, undefined],
  [
    'exactly half a percent',
    { totp: { window: 2, authenticators: 5 }, limits: { stopWithin30Days: 200 } },
    undefined,
  ],
  [
    'one failure more than that',
    { totp: { window: 2, authenticators: 5 }, limits: { stopWithin30Days: 201 } },
    0.5025,
  ],
  [
    'everything at its most, with eight digits',
    { totp: { window: 2, digits: 8 }, limits: { stopWithin30Days: 1000 } },
    undefined,
  ],
];
for (const [what, given, percent] of bounds) {
  test(`guessing: ${what} ${percent === undefined ? 'may be' : `is ${percent} %, and refused`}`, () => {
    const faults = faultsOf(given);
    if (percent === undefined) assert.deepEqual(faults, []);
    else
      assert.match(
        faults.join(),
        new RegExp(`^an attacker would guess a code in ${percent} % of cases before a stop; at most`),
      );
  });
}

test('whatever is allowed, all guesses before a stop succeed in half a percent of cases at the most', () => {
  const totp = fc.record({
    window: fc.nat(2),
    authenticators: fc.integer({ min: 1, max: 5 }),
    digits: fc.constantFrom(6 as const, 8 as const),
  });
  const limits = fc.record({
    stopAfter: fc.integer({ min: 5, max: 100 }),
    stopWithin30Days: fc.integer({ min: 5, max: 1000 }),
  });
  fc.assert(
    fc.property(totp, limits, (totp, limits) => {
      const settings = v.safeParse(Settings, { totp, limits });
      const accepted = (2 * totp.window + 1) * totp.authenticators;
      for (const guesses of [limits.stopAfter, limits.stopWithin30Days]) {
        if (settings.success) assert.ok(accepted * guesses * 200 <= 10 ** totp.digits);
      }
      const larger = Math.max(limits.stopAfter, limits.stopWithin30Days);
      assert.equal(settings.success, accepted * larger * 200 <= 10 ** totp.digits);
    }),
  );
});

test('where failures in a row are what there is most of, they are counted', () => {
  const { totp, limits } = v.parse(Settings, { limits: { stopWithin30Days: 5 } });
  assert.equal(guessFault({ totp, limits: { ...limits, stopAfter: 333 } }), undefined);
  assert.match(guessFault({ totp, limits: { ...limits, stopAfter: 334 } }) ?? '', /0\.501 %/);
});

test('a day from which enrollment is required is a day of the calendar', () => {
  for (const requiredAfter of ['2027-01-31', '2028-02-29', '2027-12-31', '2027-04-30']) {
    assert.deepEqual(faultsOf({ enrollment: { requiredAfter } }), [], requiredAfter);
  }
  for (const requiredAfter of [
    '2027-02-31',
    '2027-02-30',
    '2027-02-29',
    '2027-04-31',
    '2027-13-01',
    '2027-00-10',
    '2027-01-00',
    '2027-01-32',
    '2027-1-31',
    '27-01-31',
    '2027-01-31T00:00:00Z',
    '+002027-01-31',
    ' 2027-01-31',
    'soon',
    '',
  ]) {
    assert.equal(faultsOf({ enrollment: { requiredAfter } }).length, 1, requiredAfter);
  }
});

test('no configuration goes beyond what the standards allow', () => {
  // RFC 6238 §5.2 recommends a window of one step at most; two are the limit here.
  assert.deepEqual(
    [takes({ totp: { window: 2, authenticators: 3 } }), takes({ totp: { window: 3, authenticators: 1 } })],
    [true, false],
  );
  // NIST SP 800-63B-4 §3.2.2: no more than 100 failures in a row.
  assert.deepEqual(
    [takes({ limits: { stopAfter: 100 } }), takes({ limits: { stopAfter: 101 } })],
    [true, false],
  );
  // Of two tabs that refresh at once the second one comes within seconds.
  assert.deepEqual(
    [takes({ lifetimes: { refreshGrace: 60 } }), takes({ lifetimes: { refreshGrace: 61 } })],
    [true, false],
  );
});

test('a realm holds none of the characters that part it from a sub', () => {
  for (const realm of ['users', 'a', 'partners-2', 'x'.repeat(32)]) assert.ok(takes({ realm }), realm);
  for (const realm of ['', 'a#b', 'a|b', 'a/b', 'Users', '-a', 'a b', 'x'.repeat(33), 'ä', 'a\n']) {
    assert.equal(takes({ realm }), false, realm);
  }
});
