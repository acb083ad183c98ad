import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { Settings, STOP_WITHIN_30_DAYS } from '../../core/settings.ts';

type Given = v.InferInput<typeof Settings>;
const faultsOf = (given: Given) => v.safeParse(Settings, given).issues?.map(({ message }) => message) ?? [];
const takes = (settings: unknown) => v.is(Settings, settings);

test('by default 300 guesses against fifteen codes of a million are 0.45 %, and that is allowed', () => {
  assert.deepEqual(faultsOf({}), []);
});

const bounds: [what: string, given: Given, percent: number | undefined][] = [
  ['the widest window', { totp: { window: 2 } }, 0.75],
  ['the widest window, four authenticators', { totp: { window: 2, authenticators: 4 } }, 0.6],
  ['the widest window, three authenticators', { totp: { window: 2, authenticators: 3 } }, undefined],
  ['everything at its most, with eight digits', { totp: { window: 2, digits: 8 } }, undefined],
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
  for (const window of [0, 1, 2]) {
    for (const authenticators of [1, 2, 3, 4, 5]) {
      for (const digits of [6, 8] as const) {
        const settings = v.safeParse(Settings, { totp: { window, authenticators, digits } });
        const accepted = (2 * window + 1) * authenticators;
        const what = JSON.stringify({ window, authenticators, digits });
        assert.equal(settings.success, accepted * STOP_WITHIN_30_DAYS * 200 <= 10 ** digits, what);
      }
    }
  }
});

test('failures in a row are never more than those within 30 days, which the bound counts', () => {
  assert.ok(takes({ limits: { stopAfter: STOP_WITHIN_30_DAYS } }) === false);
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
