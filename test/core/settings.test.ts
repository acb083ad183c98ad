import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { Settings } from '../../core/settings.ts';

const takes = (settings: unknown) => v.is(Settings, settings);

test('no configuration goes beyond what the standards allow', () => {
  // RFC 6238 §5.2 recommends a window of one step at most; two are the limit here.
  assert.deepEqual([takes({ totp: { window: 2 } }), takes({ totp: { window: 3 } })], [true, false]);
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
