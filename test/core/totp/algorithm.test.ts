import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  base32Of,
  codeAt,
  matchingSteps,
  newSecret,
  otpauthUri,
  timeStep,
} from '../../../core/totp/algorithm.ts';
import type { TotpParameters } from '../../../core/totp/data.ts';
import { anyText } from '../../support/any-text.ts';

const SHA1: TotpParameters = { algorithm: 'SHA1', digits: 6, period: 30 };
const ascii = (length: number) => Buffer.from('1234567890'.repeat(7).slice(0, length));
const secret = ascii(20);

test('RFC 4226 Appendix D: the HOTP value of each counter', () => {
  const values = '755224 287082 359152 969429 338314 254676 287922 162583 399871 520489'.split(' ');
  assert.deepEqual(
    values.map((_, counter) => codeAt(counter, secret, SHA1)),
    values,
  );
});

// RFC 6238 Appendix B; the seeds' lengths are those of its reference code: 20, 32 and 64 bytes.
const APPENDIX_B: [time: number, sha1: string, sha256: string, sha512: string][] = [
  [59, '94287082', '46119246', '90693936'],
  [1111111109, '07081804', '68084774', '25091201'],
  [1111111111, '14050471', '67062674', '99943326'],
  [1234567890, '89005924', '91819424', '93441116'],
  [2000000000, '69279037', '90698825', '38618901'],
  [20000000000, '65353130', '77737706', '47863826'],
];
for (const [time, sha1, sha256, sha512] of APPENDIX_B) {
  test(`RFC 6238 Appendix B: the codes of ${time}`, () => {
    const codeOf = (algorithm: TotpParameters['algorithm'], length: number) =>
      codeAt(timeStep(time, 30), ascii(length), { algorithm, digits: 8, period: 30 });
    assert.deepEqual(
      [codeOf('SHA1', 20), codeOf('SHA256', 32), codeOf('SHA512', 64)],
      [sha1, sha256, sha512],
    );
  });
}

test('a time step begins with its first second and ends before the next (RFC 6238 §4.2)', () => {
  assert.deepEqual(
    [0, 29, 30, 59, 60].map((time) => timeStep(time, 30)),
    [0, 0, 1, 1, 2],
  );
});

for (const window of [0, 1, 2]) {
  test(`a code is accepted ${window} steps away on either side and no further`, () => {
    const current = 60_000_000;
    // The first and the last second of the step.
    for (const now of [current * 30, current * 30 + 29]) {
      for (let away = -4; away <= 4; away++) {
        const steps = matchingSteps(codeAt(current + away, secret, SHA1), secret, SHA1, window, now);
        assert.deepEqual(steps, Math.abs(away) <= window ? [current + away] : [], `${away} steps away`);
      }
    }
  });
}

test('where two steps of the window share their code, both come back, lowest first', () => {
  // Found by search: the first such pair after step 60 000 000 of this secret.
  const step = 61_331_809;
  const code = codeAt(step, secret, SHA1);
  assert.deepEqual(matchingSteps(code, secret, SHA1, 1, (step + 1) * 30), [step, step + 2]);
});

test('anything but the very digits matches nothing', () => {
  const now = 1_800_000_000;
  const code = codeAt(timeStep(now, 30), secret, SHA1);
  for (const wrong of [
    '',
    code.slice(1),
    `${code}0`,
    ` ${code}`,
    `+${code.slice(1)}`,
    `${code}\n`,
    '１２３４５６',
  ]) {
    assert.deepEqual(matchingSteps(wrong, secret, SHA1, 1, now), [], JSON.stringify(wrong));
  }
});

test('a code of six digits is none of eight, nor the other way round', () => {
  const eight: TotpParameters = { ...SHA1, digits: 8 };
  const now = 1_800_000_000;
  const step = timeStep(now, 30);
  assert.deepEqual(matchingSteps(codeAt(step, secret, SHA1), secret, eight, 1, now), []);
  assert.deepEqual(matchingSteps(codeAt(step, secret, eight), secret, SHA1, 1, now), []);
});

test('a secret has 160 bits and is new each time (RFC 4226 §4, R6)', () => {
  const secrets = Array.from({ length: 100 }, newSecret);
  assert.ok(secrets.every(({ length }) => length === 20));
  assert.equal(new Set(secrets.map((made) => made.toString('hex'))).size, 100);
});

test('base32 as in RFC 4648 §10, without its padding', () => {
  const encoded = ['', 'f', 'fo', 'foo', 'foob', 'fooba', 'foobar'].map((text) =>
    base32Of(Buffer.from(text)),
  );
  assert.deepEqual(encoded, ['', 'MY', 'MZXQ', 'MZXW6', 'MZXW6YQ', 'MZXW6YTB', 'MZXW6YTBOI']);
});

test('the otpauth URI: issuer in both places, one colon, spaces as %20, every parameter said', () => {
  assert.equal(
    otpauthUri('Käse & Co', 'bob:home+tag@example.com', secret, {
      algorithm: 'SHA256',
      digits: 8,
      period: 60,
    }),
    'otpauth://totp/K%C3%A4se%20%26%20Co:bob%20home%2Btag%40example.com' +
      '?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=K%C3%A4se%20%26%20Co&algorithm=SHA256&digits=8&period=60',
  );
});

test('whatever issuer and account hold, an app reads back the same two', () => {
  const text = anyText({ minLength: 1, maxLength: 64 });
  fc.assert(
    fc.property(
      text.map((issuer) => issuer.replaceAll(':', '')),
      text,
      (issuer, account) => {
        const uri = otpauthUri(issuer, account, secret, SHA1);
        assert.match(uri, /^[!-~]+$/);
        const [path = '', query = ''] = uri.split('?');
        const [label, rest] = path.slice('otpauth://totp/'.length).split(':');
        assert.equal(decodeURIComponent(label ?? ''), issuer);
        assert.equal(decodeURIComponent(rest ?? ''), account.replaceAll(':', ' '));
        assert.equal(new URLSearchParams(query).get('issuer'), issuer);
        assert.equal(new URLSearchParams(query).get('secret'), base32Of(secret));
      },
    ),
  );
});
