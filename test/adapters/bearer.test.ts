import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { decodeJwt, SignJWT } from 'jose';
import { createBearer } from '../../adapters/bearer.ts';
import type { TrustedIssuer } from '../../adapters/environment.ts';
import { createTokens } from '../../adapters/tokens.ts';
import type { ChallengeClaims } from '../../core/claims.ts';
import { CLIENT, createDeployment, issuer, NOW, session } from '../support/deployment.ts';
import { refusal } from '../support/refusal.ts';
import { createSigningKeys } from '../support/signing-keys.ts';

// An issuer of somebody else's, with its keys on loopback.
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwks = {
  keys: [
    { ...rsa.publicKey.export({ format: 'jwk' }), kid: 'rsa', use: 'sig' },
    { ...ec.publicKey.export({ format: 'jwk' }), kid: 'ec', use: 'sig' },
  ],
};
const documents: Record<string, { status: number; body: string }> = {
  '/jwks.json': { status: 200, body: JSON.stringify(jwks) },
  '/error': { status: 500, body: '{}' },
  '/broken': { status: 200, body: '<html>' },
  '/strange': { status: 200, body: '{"keys":"none"}' },
};
const server = createServer((request, response) => {
  const { status, body } = documents[request.url ?? ''] ?? { status: 404, body: '' };
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
});
const { promise: listening, resolve } = Promise.withResolvers<void>();
server.listen(0, '127.0.0.1', resolve);
await listening;
const { port } = server.address() as AddressInfo;
after(() => {
  server.close();
  server.closeAllConnections();
});

const THEIRS = 'https://cognito.example/pool';
const trusted: TrustedIssuer = {
  issuer: THEIRS,
  jwksUri: `http://127.0.0.1:${port}/jwks.json`,
  realm: 'users',
  algorithms: ['RS256'],
  clientIds: ['apps'],
  tokenUse: 'access',
  accountClaim: 'username',
};
const payload = {
  iss: THEIRS,
  sub: 'alice',
  client_id: 'apps',
  token_use: 'access',
  username: 'alice@example.com',
  origin_jti: 'session-1',
  auth_time: NOW - 5,
  exp: NOW + 60,
};
const sign = (changes: object = {}, header: object = {}, key = rsa.privateKey) =>
  new SignJWT({ ...payload, ...changes })
    .setProtectedHeader({ alg: 'RS256', kid: 'rsa', ...header })
    .sign(key);

const deployment = createDeployment();
const trusting = (...issuers: TrustedIssuer[]) => ({
  TRUSTED_ISSUERS: issuers,
  SETTINGS: { realm: 'users' },
});
const come = (token: string, changes: Partial<TrustedIssuer> = {}) =>
  createBearer(deployment.tokens, trusting({ ...trusted, ...changes }))(`Bearer ${token}`, CLIENT, NOW);

test('an own access token says who, how, of which generation and of which session', async () => {
  const { accessToken, refreshToken } = await session(deployment, 'alice', NOW);
  const { family } = decodeJwt(refreshToken);
  assert.deepEqual(await come(accessToken), {
    user: { realm: 'users', sub: 'sub-of-alice' },
    account: 'alice',
    authTime: NOW,
    amr: ['pwd'],
    generation: '',
    sid: family,
  });
});

test('an own access token that may do nothing but enroll says so', async () => {
  const required = createDeployment({ enrollment: { requiredAfterDays: 0 } });
  const { accessToken } = await session(required, 'alice', NOW);
  assert.equal((await required.bearer(`Bearer ${accessToken}`, CLIENT, NOW)).enrollmentRequired, true);
});

test('an own access token is of use with an API key of its own client alone', async () => {
  const { accessToken } = await session(deployment, 'alice', NOW);
  const bearer = createBearer(deployment.tokens, trusting(trusted));
  for (const client of ['another', '', 'WEB'])
    await assert.rejects(bearer(`Bearer ${accessToken}`, client, NOW), refusal('token_invalid'));
  assert.equal((await bearer(`Bearer ${accessToken}`, CLIENT, NOW)).account, 'alice');
});

test("another issuer's token is bound to no client of ours", async () => {
  const bearer = createBearer(deployment.tokens, trusting(trusted));
  for (const client of [CLIENT, 'another'])
    assert.equal((await bearer(`Bearer ${await sign()}`, client, NOW)).user.sub, 'alice');
});

test("another issuer's token says who and when, and claims nothing of how", async () => {
  assert.deepEqual(await come(await sign(), { realm: 'partners' }), {
    user: { realm: 'partners', sub: 'alice' },
    account: 'alice@example.com',
    authTime: NOW - 5,
    amr: [],
    generation: undefined,
    session: 'session-1',
  });
});

test("with a token of the pool Cognito can be asked, by that token and its scope; with another issuer's nobody can", async () => {
  const asked: unknown[] = [];
  const bearer = (pool: true | undefined) =>
    createBearer(
      deployment.tokens,
      trusting({ ...trusted, pool }),
      async (...given) => asked.push(given) < 2,
    );
  const token = await sign({ scope: 'one two' });
  const { isSignedIn } = await bearer(true)(`Bearer ${token}`, CLIENT, NOW);
  assert.deepEqual(asked, [], 'not before it is wanted');
  assert.deepEqual([await isSignedIn?.(), await isSignedIn?.()], [true, false]);
  assert.deepEqual(asked, [
    [token, 'one two'],
    [token, 'one two'],
  ]);
  assert.equal((await bearer(undefined)(`Bearer ${token}`, CLIENT, NOW)).isSignedIn, undefined);
});

test('an operation that was not given the means to ask the pool lets nobody through', async () => {
  const { isSignedIn } = await come(await sign(), { pool: true });
  await assert.rejects(isSignedIn?.() ?? Promise.resolve(), TypeError);
});

const headers: [string, string | undefined][] = [
  ['no header', undefined],
  ['an empty one', ''],
  ['another scheme', 'Basic YTpi'],
  ['no token', 'Bearer '],
  ['no JWT', 'Bearer opaque'],
  ['a JWT without content', 'Bearer a.b.c'],
  ['two tokens', 'Bearer a.b.c a.b.c'],
  ['an unsecured JWT', 'Bearer eyJhbGciOiJub25lIn0.e30.'],
];
for (const [what, authorization] of headers) {
  test(`${what} is refused`, async () => {
    await assert.rejects(
      createBearer(deployment.tokens, trusting(trusted))(authorization, CLIENT, NOW),
      refusal('token_invalid'),
    );
  });
}

test('the time of a sign-in is told in whole seconds: the second of a change is not before it', async () => {
  const bearer = createBearer(deployment.tokens, trusting(trusted));
  assert.equal(
    (await bearer(`Bearer ${await sign({ auth_time: NOW - 0.1 })}`, CLIENT, NOW)).authTime,
    NOW - 1,
  );
});

test("a sign-in up to a minute ahead is the issuer's clock, and counts", async () => {
  assert.equal((await come(await sign({ auth_time: NOW + 60 }))).authTime, NOW + 60);
});

test('the scheme is case-insensitive (RFC 9110 §11.1)', async () => {
  const bearer = createBearer(deployment.tokens, trusting(trusted));
  assert.equal((await bearer(`bearer ${await sign()}`, CLIENT, NOW)).user.sub, 'alice');
});

test('a challenge or refresh token is no access token', async () => {
  const { refreshToken } = await session(deployment, 'alice', NOW);
  const claims: ChallengeClaims = {
    sub: 'alice',
    realm: 'users',
    username: 'alice',
    client_id: CLIENT,
    jti: 'j',
    iat: NOW,
    exp: NOW + 60,
    auth_time: NOW,
    amr: ['pwd'],
    gen: '',
  };
  const challengeToken = await deployment.tokens.sign('challenge', claims, NOW);
  for (const token of [refreshToken, challengeToken])
    await assert.rejects(come(token), refusal('token_invalid'));
});

test('an own token under keys of another deployment is refused', async () => {
  const theirs = createTokens(issuer, createSigningKeys());
  const { accessToken } = await session(
    { ...createDeployment(), tokens: theirs, bearer: createBearer(theirs, trusting()) },
    'alice',
    NOW,
  );
  await assert.rejects(come(accessToken), refusal('token_invalid'));
});

const refused: [string, () => Promise<string>][] = [
  ['of an issuer that is not trusted', () => sign({ iss: 'https://evil.example' })],
  ['without an issuer', () => sign({ iss: undefined })],
  ['of another client', () => sign({ client_id: 'another' })],
  ['without a client', () => sign({ client_id: undefined })],
  ['that is an ID token', () => sign({ token_use: 'id', aud: 'apps' })],
  ['without its use', () => sign({ token_use: undefined })],
  ['that has expired', () => sign({ exp: NOW })],
  ['without an end', () => sign({ exp: undefined })],
  ['without a subject', () => sign({ sub: undefined })],
  ['with an empty subject', () => sign({ sub: '' })],
  ['with a subject that is no text', () => sign({ sub: 7 as unknown as string })],
  ['with a subject of over 255 characters', () => sign({ sub: 'x'.repeat(256) })],
  ['without auth_time', () => sign({ auth_time: undefined })],
  ['with an auth_time that is no number', () => sign({ auth_time: String(NOW) })],
  ['of a sign-in told in milliseconds', () => sign({ auth_time: (NOW - 5) * 1000 })],
  ['of a sign-in of tomorrow', () => sign({ auth_time: NOW + 86_400 })],
  ['of a sign-in more than a minute ahead', () => sign({ auth_time: NOW + 61 })],
  ['of a sign-in a fraction over a minute ahead', () => sign({ auth_time: NOW + 60.5 })],
  ['of a sign-in at no time that there is', () => sign({ auth_time: 1e300 })],
  ['with a list for an auth_time', () => sign({ auth_time: [NOW] })],
  ['before its nbf', () => sign({ nbf: NOW + 1 })],
  ['of an algorithm not allowed for it', () => sign({}, { alg: 'ES256', kid: 'ec' }, ec.privateKey)],
  ['of another algorithm of its very key', () => sign({}, { alg: 'PS256' })],
  [
    'under a key the issuer does not have',
    () => sign({}, {}, generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey),
  ],
  ['under an unknown key id', () => sign({}, { kid: 'unknown' })],
  [
    'that has been altered',
    async () => (await sign()).replace(/\.(.)/, (_, first) => (first === 'e' ? '.f' : '.e')),
  ],
];
for (const [what, token] of refused) {
  test(`another issuer's token ${what} is refused`, async () => {
    await assert.rejects(come(await token()), refusal('token_invalid'));
  });
}

test('where an audience is configured it is wanted, exactly', async () => {
  const audience = ['https://api.example'];
  await come(await sign({ aud: 'https://api.example' }), { audience });
  for (const aud of ['https://other.example', undefined, []]) {
    await assert.rejects(come(await sign({ aud }), { audience }), refusal('token_invalid'));
  }
});

test('a subject is accepted as long as an own token can name its user', async () => {
  assert.equal((await come(await sign({ sub: 'x'.repeat(255) }))).user.sub.length, 255);
  // `partners|` goes before it.
  const [fits, tooLong] = [await sign({ sub: 'x'.repeat(246) }), await sign({ sub: 'x'.repeat(247) })];
  assert.equal((await come(fits, { realm: 'partners' })).user.sub.length, 246);
  await assert.rejects(come(tooLong, { realm: 'partners' }), refusal('token_invalid'));
});

test('a subject with a | is refused in the home realm, where it could stand for a user of another', async () => {
  const token = await sign({ sub: 'partners|alice' });
  await assert.rejects(come(token), refusal('token_invalid'));
  assert.equal((await come(token, { realm: 'other' })).user.sub, 'partners|alice');
});

test('without a label the account is the subject', async () => {
  for (const username of [undefined, '', 7])
    assert.equal((await come(await sign({ username }))).account, 'alice');
});

test('a label is text, and no longer than a QR code takes, whatever the claim holds', async () => {
  for (const username of ['x'.repeat(3000), '\ud800']) {
    const { account } = await come(await sign({ username }));
    assert.ok(account.isWellFormed() && account.length <= 255);
  }
});

test('a subject that is no text is refused: two such would look alike as bytes', async () => {
  await assert.rejects(come(await sign({ sub: '\ud800' })), refusal('token_invalid'));
});

for (const path of ['/error', '/broken', '/strange']) {
  test(`keys that answer ${path.slice(1)} are a fault, never an invalid token, never let in`, async () => {
    const jwksUri = `http://127.0.0.1:${port}${path}`;
    await assert.rejects(come(await sign(), { jwksUri }), refusal('temporarily_unavailable'));
  });
}

test('keys that cannot be reached are a fault', async () => {
  const closed = createServer();
  const { promise, resolve: ready } = Promise.withResolvers<void>();
  closed.listen(0, '127.0.0.1', ready);
  await promise;
  const gone = (closed.address() as AddressInfo).port;
  closed.close();
  await assert.rejects(
    come(await sign(), { jwksUri: `http://127.0.0.1:${gone}/` }),
    refusal('temporarily_unavailable'),
  );
});

test("another issuer's keys being away does not shut out own tokens", async () => {
  const { accessToken } = await session(deployment, 'alice', NOW);
  await come(accessToken, { jwksUri: `http://127.0.0.1:${port}/error` });
});
