import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import { createTokens, createTokenVerifier } from '../../adapters/tokens.ts';
import type { AccessClaims, RefreshClaims, TokenKind } from '../../core/claims.ts';
import { unavailable } from '../../core/error.ts';
import { refusal } from '../support/refusal.ts';
import { createSigningKeys } from '../support/signing-keys.ts';

const NOW = 1_800_000_000;
const KINDS: TokenKind[] = ['access', 'challenge', 'refresh'];
const ISSUER = 'https://id.example/prod';
const SETTINGS = { realm: 'users' };
const issuer = {
  ISSUER,
  FORMER_ISSUERS: ['https://old.example'],
  AUDIENCE: 'https://api.example',
  SETTINGS,
};
const keys = createSigningKeys('k1');
const tokens = createTokens(issuer, keys);
const claims: AccessClaims & RefreshClaims = {
  sub: 'alice',
  realm: 'users',
  username: 'alice@example.com',
  client_id: 'web',
  jti: 'j1',
  iat: NOW,
  exp: NOW + 120,
  auth_time: NOW,
  amr: ['pwd'],
  gen: 'g1',
  acr: 'urn:countersign:1fa',
  family: 'f1',
  sequence: 0,
};
const { id: kid, privateKey } = await keys.current(NOW);
const publicKey = await keys.find(kid, NOW);
assert.ok(publicKey);

/** The very token of a kind, but for what is given. */
async function forged(
  kind: TokenKind,
  { header = {}, payload = {}, key = privateKey }: { header?: object; payload?: object; key?: KeyObject },
): Promise<string> {
  const genuine = await tokens.sign(kind, claims, NOW);
  const protectedHeader = { alg: 'RS256', ...decodeProtectedHeader(genuine), ...header };
  return new SignJWT({ ...decodeJwt(genuine), ...payload }).setProtectedHeader(protectedHeader).sign(key);
}
const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url');

for (const kind of KINDS) {
  test(`a ${kind} token comes back with its claims, and in no other place`, async () => {
    const token = await tokens.sign(kind, claims, NOW);
    for (const place of KINDS) {
      const found = await tokens.verify(place, token, NOW);
      assert.equal(found?.sub, place === kind ? 'alice' : undefined, place);
    }
    assert.equal((await tokens.verify(kind, await forged(kind, {}), NOW))?.gen, 'g1');
  });

  test(`a ${kind} token ends with its exp, to the second`, async () => {
    const token = await tokens.sign(kind, claims, NOW);
    assert.ok(await tokens.verify(kind, token, NOW + 119));
    assert.equal(await tokens.verify(kind, token, NOW + 120), undefined);
  });

  test(`a ${kind} token of another typ, audience or issuer, or of none, is refused`, async () => {
    const others = KINDS.filter((other) => other !== kind).map(typOf);
    const wrong: { header?: object; payload?: object }[] = [
      ...['JWT', 'at+jwt2', undefined, ...others].map((typ) => ({ header: { typ } })),
      ...['https://evil.example', `${ISSUER}/`, undefined].map((iss) => ({ payload: { iss } })),
      ...['web', ISSUER, `${ISSUER}/v1`, [], undefined].map((aud) => ({ payload: { aud } })),
    ];
    for (const changes of wrong) {
      const token = await forged(kind, changes);
      assert.equal(await tokens.verify(kind, token, NOW), undefined, JSON.stringify(changes));
    }
  });

  test(`a ${kind} token without a claim it needs, or with one of another type, is refused`, async () => {
    const needed = ['sub', 'realm', 'username', 'client_id', 'jti', 'iat', 'exp', 'auth_time', 'amr', 'gen'];
    for (const name of [...needed, ...(kind === 'refresh' ? ['family', 'sequence'] : [])]) {
      for (const value of [undefined, null, {}, ['x'], true, 1.5]) {
        const token = await forged(kind, { payload: { [name]: value } }).catch(() => '');
        assert.equal(await tokens.verify(kind, token, NOW), undefined, `${name}: ${JSON.stringify(value)}`);
      }
    }
  });
}

test('alg none is refused, signed or not (RFC 8725 §3.1)', async () => {
  const [, payload, signature] = (await tokens.sign('access', claims, NOW)).split('.');
  for (const alg of ['none', 'None', 'NONE', '', undefined]) {
    for (const end of ['', signature]) {
      const token = `${encode({ alg, kid, typ: 'at+jwt' })}.${payload}.${end}`;
      assert.equal(await tokens.verify('access', token, NOW), undefined, String(alg));
    }
  }
});

test('HS256 under the public key is refused (RFC 8725 §2.1)', async () => {
  const [, payload] = (await tokens.sign('access', claims, NOW)).split('.');
  const secrets = [
    publicKey.export({ type: 'spki', format: 'pem' }),
    publicKey.export({ type: 'spki', format: 'der' }),
    JSON.stringify(publicKey.export({ format: 'jwk' })),
  ];
  for (const secret of secrets) {
    const signed = `${encode({ alg: 'HS256', kid, typ: 'at+jwt' })}.${payload}`;
    const mac = createHmac('sha256', secret).update(signed).digest('base64url');
    assert.equal(await tokens.verify('access', `${signed}.${mac}`, NOW), undefined);
  }
});

test('another algorithm of the very same key is refused', async () => {
  for (const alg of ['RS384', 'RS512', 'PS256']) {
    assert.equal(
      await tokens.verify('access', await forged('access', { header: { alg } }), NOW),
      undefined,
      alg,
    );
  }
});

test('a key that the token brings or points to is not used', async () => {
  const own = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = own.publicKey.export({ format: 'jwk' });
  for (const header of [
    { jwk },
    { jku: 'https://evil.example/jwks.json' },
    { x5u: 'https://evil.example' },
    { kid: 'k2', jwk },
  ]) {
    const token = await forged('access', { header, key: own.privateKey });
    assert.equal(await tokens.verify('access', token, NOW), undefined, Object.keys(header).join());
  }
});

test('a key id that is unknown, missing or no text is refused', async () => {
  for (const value of ['k2', '', undefined, '../k1']) {
    assert.equal(
      await tokens.verify('access', await forged('access', { header: { kid: value } }), NOW),
      undefined,
    );
  }
});

test('a token with any one letter altered is refused', async () => {
  const token = await tokens.sign('access', claims, NOW);
  for (let at = 0; at < token.length; at += 7) {
    // The last letter of a part has bits that mean nothing; and so none is altered there.
    if (token[at] === '.' || token[at + 1] === '.' || at === token.length - 1) continue;
    const altered = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
    assert.equal(await tokens.verify('access', altered, NOW), undefined, `at ${at}`);
  }
});

test('what is no token at all is refused', async () => {
  for (const token of [
    '',
    '.',
    '..',
    'a.b',
    'a.b.c',
    'a.b.c.d',
    `${'a'.repeat(4096)}.b.c`,
    encode({}),
    '{"alg":"none"}',
  ]) {
    assert.equal(await tokens.verify('access', token, NOW), undefined);
  }
});

test('a token of a former issuer is accepted while it is listed; new ones name the present one', async () => {
  const former = createTokens({ ...issuer, ISSUER: 'https://old.example', FORMER_ISSUERS: [] }, keys);
  for (const kind of KINDS) {
    const token = await former.sign(kind, claims, NOW);
    assert.ok(await tokens.verify(kind, token, NOW), kind);
    assert.equal(
      await createTokenVerifier({ ...issuer, FORMER_ISSUERS: [] }, keys).verify(kind, token, NOW),
      undefined,
    );
    assert.equal(decodeJwt(await tokens.sign(kind, claims, NOW)).iss, ISSUER);
  }
});

test('where no audience is configured it is the issuer, the former one of its own tokens too', async () => {
  const of = (url: string, formerIssuers: string[]) => ({
    ISSUER: url,
    FORMER_ISSUERS: formerIssuers,
    AUDIENCE: undefined,
    SETTINGS,
  });
  const token = await createTokens(of('https://old.example', []), keys).sign('access', claims, NOW);
  assert.equal(decodeJwt(token).aud, 'https://old.example');
  const moved = createTokens(of(ISSUER, ['https://old.example']), keys);
  assert.ok(await moved.verify('access', token, NOW));
  assert.ok(await moved.verify('access', await moved.sign('access', claims, NOW), NOW));
  assert.equal(await createTokens(of(ISSUER, []), keys).verify('access', token, NOW), undefined);
});

test('an access token has the form of RFC 9068', async () => {
  const token = await tokens.sign('access', { ...claims, acr: 'urn:countersign:1fa' }, NOW);
  assert.deepEqual(decodeProtectedHeader(token), { alg: 'RS256', kid: 'k1', typ: 'at+jwt' });
  const { iss, aud, exp, acr } = decodeJwt(token);
  assert.deepEqual([iss, aud, exp, acr], [ISSUER, 'https://api.example', NOW + 120, 'urn:countersign:1fa']);
});

test("a user of another realm is named with the realm, and comes back as the issuer's own sub", async () => {
  for (const kind of KINDS) {
    const token = await tokens.sign(kind, { ...claims, realm: 'partners' }, NOW);
    assert.equal(decodeJwt(token).sub, 'partners|alice');
    const { sub, realm } = (await tokens.verify(kind, token, NOW)) ?? {};
    assert.deepEqual({ sub, realm }, { sub: 'alice', realm: 'partners' });
  }
});

test('a token whose sub does not fit its realm is invalid, though signed by our key', async () => {
  for (const payload of [
    { realm: 'partners' },
    { realm: 'partners', sub: 'partners|' },
    { realm: 'partners', sub: 'users|alice' },
    { realm: 'partner', sub: 'partners|alice' },
    { realm: 'partners', sub: 'partners-alice' },
    { sub: 'partners|alice' },
    { sub: 'users|alice' },
    { sub: '' },
    { sub: 'x'.repeat(256) },
  ]) {
    for (const kind of KINDS) {
      const token = await forged(kind, { payload });
      assert.equal(await tokens.verify(kind, token, NOW), undefined, JSON.stringify(payload));
    }
  }
});

test('no token is signed for a home user whose sub holds a |: it could name a user of another realm', async () => {
  await assert.rejects(tokens.sign('access', { ...claims, sub: 'partners|alice' }, NOW), /no sub/);
});

test('keys that cannot be had are a fault, not an invalid token', async () => {
  const token = await tokens.sign('access', claims, NOW);
  const down = { ...keys, find: () => Promise.reject(unavailable()) };
  await assert.rejects(
    createTokens(issuer, down).verify('access', token, NOW),
    refusal('temporarily_unavailable'),
  );
});

test('it is ready to sign only if the signing key can be had', async () => {
  await tokens.ready(NOW);
  const down = { ...keys, current: () => Promise.reject(unavailable()) };
  await assert.rejects(createTokens(issuer, down).ready(NOW), refusal('temporarily_unavailable'));
});

function typOf(kind: TokenKind): string {
  return kind === 'access' ? 'at+jwt' : `countersign-${kind}+jwt`;
}
