import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { test } from 'node:test';
import { decodeProtectedHeader, errors } from 'jose';
import { createIssuerKeys } from '../../adapters/issuer-keys.ts';
import { CountersignError } from '../../core/error.ts';
import { freePort } from '../support/free-port.ts';
import { type JwksMode, startTrustedIssuer } from '../support/trusted-issuer.ts';

const NOW = 1_800_000_000;
const issuer = await startTrustedIssuer();
const FAILURES: JwksMode[] = ['error', 'nonsense', 'no key set', 'moved'];

/** What looking for a key comes to, and how often the issuer was asked meanwhile. */
function createFinder() {
  const keys = createIssuerKeys(issuer.trusted.jwksUri);
  return async (seconds: number, kid = 'theirs', mode: JwksMode = 'keys') => {
    issuer.answer(mode);
    const before = issuer.asked();
    const jws = await issuer.token('alice', NOW, {}, kid);
    const [, payload = '', signature = ''] = jws.split('.');
    const token = { payload, signature };
    const came = await Promise.resolve(
      keys(NOW + seconds)({ alg: 'RS256', ...decodeProtectedHeader(jws) }, token),
    ).then(
      () => 'found',
      (error: unknown) => {
        if (error instanceof errors.JWKSNoMatchingKey) return 'none';
        assert.ok(error instanceof CountersignError, String(error));
        assert.equal(error.code, 'temporarily_unavailable');
        return `again in ${error.retryAfter}`;
      },
    );
    return `${came}, asked ${issuer.asked() - before}`;
  };
}

test('a key set is fetched once and held for ten minutes', async () => {
  const find = createFinder();
  assert.equal(await find(0), 'found, asked 1');
  assert.equal(await find(599), 'found, asked 0');
  assert.equal(await find(600), 'found, asked 1');
});

test('an unknown key id fetches it again, at most once in 30 seconds', async () => {
  const find = createFinder();
  assert.equal(await find(0, 'made-up'), 'none, asked 1');
  assert.equal(await find(29, 'made-up'), 'none, asked 0');
  assert.equal(await find(30, 'made-up'), 'none, asked 1');
  assert.equal(await find(59, 'another'), 'none, asked 0');
  assert.equal(await find(59), 'found, asked 0');
});

for (const mode of FAILURES) {
  test(`without any key set, "${mode}" is remembered for 30 seconds`, async () => {
    const find = createFinder();
    assert.equal(await find(0, 'theirs', mode), 'again in 30, asked 1');
    assert.equal(await find(10), 'again in 20, asked 0');
    assert.equal(await find(29, 'made-up'), 'again in 1, asked 0');
    assert.equal(await find(30), 'found, asked 1');
  });

  test(`a fetch that "${mode}" answers takes no held key away`, async () => {
    const find = createFinder();
    await find(0);
    assert.equal(await find(100, 'made-up', mode), 'again in 30, asked 1');
    assert.equal(await find(101), 'found, asked 0');
    assert.equal(await find(115, 'made-up'), 'again in 15, asked 0');
    // Old by now: fetched again, once in 30 seconds, and held while there is no newer one, up to an hour.
    assert.equal(await find(600, 'theirs', mode), 'found, asked 1');
    assert.equal(await find(629, 'theirs', mode), 'found, asked 0');
    assert.equal(await find(630, 'theirs', mode), 'found, asked 1');
    assert.equal(await find(3599, 'theirs', mode), 'found, asked 1');
    assert.equal(await find(3600, 'theirs', mode), 'again in 29, asked 0');
    assert.equal(await find(3629, 'theirs'), 'found, asked 1');
    assert.equal(await find(4228, 'theirs', mode), 'found, asked 0');
  });
}

test('a fetch that hangs is given up and remembered, for whoever waited for it too', {
  timeout: 30_000,
}, async () => {
  const find = createFinder();
  const all = await Promise.all(Array.from({ length: 5 }, () => find(0, 'theirs', 'hang')));
  for (const came of all) assert.match(came, /^again in 30, asked/);
  assert.equal(await find(29), 'again in 1, asked 0');
  assert.equal(await find(30), 'found, asked 1');
});

test('many who look at once wait for one fetch', async () => {
  const find = createFinder();
  const before = issuer.asked();
  await Promise.all(Array.from({ length: 20 }, (_, index) => find(0, `made-up-${index}`)));
  assert.equal(issuer.asked() - before, 1);
});

test('an issuer that cannot be reached at all is remembered too', async () => {
  const keys = createIssuerKeys(`http://127.0.0.1:${await freePort()}/jwks.json`);
  for (const [seconds, retryAfter] of [
    [0, 30],
    [10, 20],
  ] as const) {
    const found = keys(NOW + seconds)({ alg: 'RS256', kid: 'any' }, { payload: '', signature: '' });
    await assert.rejects(Promise.resolve(found), { code: 'temporarily_unavailable', retryAfter });
  }
});

test('a key set that comes late takes none away that was asked for later', async () => {
  const sets = ['old', 'new'].map((kid) => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    return JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid }] });
  });
  const waiting: ServerResponse[] = [];
  const server = createServer((_, response) => {
    waiting.push(response);
    server.emit('asked');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address);
  const keys = createIssuerKeys(`http://127.0.0.1:${address.port}/jwks.json`);
  const find = async (seconds: number, kid: string) =>
    keys(NOW + seconds)({ alg: 'ES256', kid }, { payload: '', signature: '' });

  const asked = once(server, 'asked');
  const first = find(0, 'old');
  await asked;
  const askedAgain = once(server, 'asked');
  const second = find(30, 'new');
  await askedAgain;
  waiting[1]?.end(sets[1]);
  await second;
  waiting[0]?.end(sets[0]);
  await first;
  // Withdrawn meanwhile: the newer set does not have it.
  await assert.rejects(find(31, 'old'), errors.JWKSNoMatchingKey);
  await find(31, 'new');
  server.close();
});
