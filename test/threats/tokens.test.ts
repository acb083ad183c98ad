// Attacks with tokens: of another kind, used again, forged.
import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { base64url, decodeJwt, decodeProtectedHeader, exportJWK, type JWTPayload, SignJWT } from 'jose';
import { assertProblem, challengeFor, clientOf } from '../support/client.ts';
import { signingKeyOf } from '../support/operator-keys.ts';
import { unthrottled } from '../support/plans.ts';
import { serviceForTests } from '../support/service.ts';
import { storedFactor, storedItem, storedRecord } from '../support/stored.ts';
import { type Kind, placesOf } from '../support/token-places.ts';
import { enrolledPerson } from '../support/ways.ts';

const service = await serviceForTests(unthrottled);
const client = clientOf(service);
const signing = await signingKeyOf(service);
const places = placesOf(client);

const verify = (challengeToken: string, code: string) =>
  client.post('/v1/auth/verify', { challengeToken, code });
const refresh = (refreshToken: string) => client.post('/v1/auth/refresh', { refreshToken });
const familyOf = (refreshToken: string) => storedItem(service, `FAMILY#${decodeJwt(refreshToken)['family']}`);

/** Creates a user with a second factor and one valid token of each kind. */
async function withTokens() {
  const enrolled = await enrolledPerson(service, client);
  const challenge = await challengeFor(client, enrolled.person);
  const { access, refresh } = enrolled;
  return { ...enrolled, tokens: { access, refresh, challenge } };
}
const kinds: Kind[] = ['access', 'challenge', 'refresh'];

/** Asserts that each token is accepted in its own place. This shows why the changed ones were refused. */
async function assertAllAccepted({ tokens, code }: Awaited<ReturnType<typeof withTokens>>): Promise<void> {
  assert.equal((await client.get('/v1/authenticators', tokens.access)).status, 200);
  assert.equal((await verify(tokens.challenge, code())).status, 200);
  assert.equal((await refresh(tokens.refresh)).status, 200);
}

test('no kind of token is accepted in place of another', async () => {
  const situation = await withTokens();
  const { person, tokens, code } = situation;
  const before = await storedRecord(service, person);
  for (const place of kinds) {
    for (const kind of kinds.filter((other) => other !== place)) await places[place](tokens[kind], code());
  }
  assert.deepEqual(await storedRecord(service, person), before);
  assert.equal(await familyOf(tokens.refresh), undefined);
  await assertAllAccepted(situation);
});

test('an answered challenge is void, even for a fresh code', async () => {
  const { person, tokens, code, nextCode } = await withTokens();
  assert.equal((await verify(tokens.challenge, code())).status, 200);
  const before = await storedRecord(service, person);
  assertProblem(await verify(tokens.challenge, nextCode()), 401, 'challenge_invalid');
  assert.deepEqual(await storedRecord(service, person), before);
});

test('a challenge survives a wrong code, and an answered one stays void after others are answered', async () => {
  const { person, tokens, code, nextCode, wrongCode } = await withTokens();
  const second = await challengeFor(client, person);
  assertProblem(await verify(tokens.challenge, wrongCode()), 401, 'code_rejected');
  assert.equal((await verify(tokens.challenge, code())).status, 200);
  assert.equal((await verify(second, nextCode())).status, 200);
  for (const answered of [tokens.challenge, second]) {
    assertProblem(await verify(answered, nextCode()), 401, 'challenge_invalid');
  }
  assert.equal(Object.keys((await storedFactor(service, person)).answered).length, 2);
});

test("a challenge with another user's code is refused and costs that user no attempt", async () => {
  const [ours, theirs] = [await withTokens(), await withTokens()];
  const before = await storedRecord(service, theirs.person);
  assertProblem(await verify(ours.tokens.challenge, theirs.code()), 401, 'code_rejected');
  assert.deepEqual(await storedRecord(service, theirs.person), before);
  assert.equal((await storedFactor(service, ours.person)).failures, 1);
  assert.equal((await verify(theirs.tokens.challenge, theirs.code())).status, 200);
});

test('an expired token is refused', async () => {
  const { person, tokens, code } = await withTokens();
  const before = await storedRecord(service, person);
  service.clock.advance(121);
  await places.challenge(tokens.challenge, code());
  service.clock.advance(180);
  await places.access(tokens.access, code());
  service.clock.advance(86_400);
  await places.refresh(tokens.refresh, code());
  assert.deepEqual(await storedRecord(service, person), before);
});

test('an altered token is refused, whichever part was altered', async () => {
  const situation = await withTokens();
  const { person, tokens, code } = situation;
  const other = await withTokens();
  const before = await storedRecord(service, person);
  for (const kind of kinds) {
    const [header = '', payload = '', signature = ''] = tokens[kind].split('.');
    const [, , foreign = ''] = other.tokens[kind].split('.');
    const claims = decodeJwt(tokens[kind]);
    const changed = (change: JWTPayload) => base64url.encode(JSON.stringify({ ...claims, ...change }));
    const rehead = (change: object) =>
      base64url.encode(JSON.stringify({ ...decodeProtectedHeader(tokens[kind]), ...change }));
    for (const altered of [
      `${header}.${payload}.${foreign}`,
      `${header}.${payload}.`,
      `${header}.${payload}`,
      `${header}.${changed({ sub: other.person.sub })}.${signature}`,
      `${header}.${changed({ exp: 9_999_999_999 })}.${signature}`,
      `${header}.${changed({ auth_time: service.clock.seconds() + 1 })}.${signature}`,
      `${rehead({ typ: 'JWT' })}.${payload}.${signature}`,
      `${rehead({ alg: 'none' })}.${payload}.`,
      `${rehead({ alg: 'none' })}.${payload}.${signature}`,
      `${rehead({ alg: 'None' })}.${payload}.`,
    ]) {
      await places[kind](altered, code());
    }
  }
  assert.deepEqual(await storedRecord(service, person), before);
  await assertAllAccepted(situation);
});

test('a token for another audience, of another issuer or another typ is refused, even if our key signed it', async () => {
  const situation = await withTokens();
  const { person, tokens, code } = situation;
  const before = await storedRecord(service, person);
  for (const kind of kinds) {
    const claims = decodeJwt(tokens[kind]);
    const header = decodeProtectedHeader(tokens[kind]);
    const { iss = '', aud } = claims;
    assert.equal(typeof aud, 'string');
    const signed = (change: JWTPayload, reheaded = {}) =>
      new SignJWT({ ...claims, ...change })
        .setProtectedHeader({ ...header, alg: 'RS256', ...reheaded })
        .sign(signing.privateKey);
    const wrong = [
      ...[`${aud}/`, 'https://elsewhere.example', `${iss}/v1/auth/nowhere`].map((aud) => signed({ aud })),
      signed({ aud: [] }),
      ...['https://elsewhere.example', `${iss}/`, iss.toUpperCase()].map((iss) => signed({ iss })),
      ...['JWT', 'jwt', 'application/jwt', `x-${header.typ}`].map((typ) => signed({}, { typ })),
      new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: signing.id }).sign(signing.privateKey),
      signed({}, { kid: 'unknown-key-of-us' }),
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', typ: header.typ ?? '' })
        .sign(signing.privateKey),
      signed({ exp: service.clock.seconds() - 1 }),
      ...['realm', 'gen', 'sub', 'exp', 'auth_time', 'client_id'].map((name) =>
        signed({ [name]: undefined }),
      ),
    ];
    for (const token of await Promise.all(wrong)) await places[kind](token, code());
  }
  assert.deepEqual(await storedRecord(service, person), before);
  // Signed in the same way with nothing wrong, they are accepted. So each refusal was for its one fault.
  const again = await Promise.all(
    kinds.map((kind) =>
      new SignJWT(decodeJwt(tokens[kind]))
        .setProtectedHeader({ ...decodeProtectedHeader(tokens[kind]), alg: 'RS256' })
        .sign(signing.privateKey),
    ),
  );
  const [access = '', challenge = '', refreshToken = ''] = again;
  await assertAllAccepted({ ...situation, tokens: { access, challenge, refresh: refreshToken } });
});

test('a token of another algorithm is refused: none, HS256 with the public key, and others with our own key', async () => {
  const situation = await withTokens();
  const { person, tokens, code } = situation;
  const before = await storedRecord(service, person);
  const publicKey = createPublicKey(signing.privateKey);
  const { body } = await client.get('/.well-known/jwks.json');
  const [jwk] = (body as { keys: Record<string, unknown>[] }).keys;
  const secrets = [
    publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    publicKey.export({ format: 'pem', type: 'spki' }).toString().trim(),
    publicKey.export({ format: 'pem', type: 'pkcs1' }).toString(),
    publicKey.export({ format: 'der', type: 'spki' }),
    JSON.stringify(jwk),
    Buffer.from(String(jwk?.['n']), 'base64url'),
    String(jwk?.['n']),
  ].map((secret) =>
    typeof secret === 'string' ? new TextEncoder().encode(secret) : Uint8Array.from(secret),
  );
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const strangerJwk = await exportJWK(stranger.publicKey);

  for (const kind of kinds) {
    const claims = decodeJwt(tokens[kind]);
    const { typ = '' } = decodeProtectedHeader(tokens[kind]);
    const sign = (
      alg: string,
      key: Parameters<SignJWT['sign']>[0],
      header: Record<string, unknown> = {},
    ): Promise<string> =>
      new SignJWT(claims).setProtectedHeader({ alg, typ, kid: signing.id, ...header }).sign(key);
    const forged = await Promise.all([
      ...secrets.map((secret) => sign('HS256', secret)),
      ...['RS384', 'RS512', 'PS256'].map((alg) => sign(alg, signing.privateKey)),
      sign('RS256', stranger.privateKey),
      sign('RS256', stranger.privateKey, { jwk: strangerJwk }),
      sign('RS256', stranger.privateKey, { jku: 'http://localhost/.well-known/jwks.json' }),
    ]);
    const unsigned = ['none', 'NONE', 'nOnE', ''].map(
      (alg) =>
        `${base64url.encode(JSON.stringify({ alg, typ, kid: signing.id }))}.${tokens[kind].split('.')[1]}.`,
    );
    for (const token of [...forged, ...unsigned]) await places[kind](token, code());
  }
  assert.deepEqual(await storedRecord(service, person), before);
  await assertAllAccepted(situation);
});

test('a field that claims an identity or a result is a 400 in every body', async () => {
  const situation = await withTokens();
  const { person, tokens, code } = situation;
  const victim = await withTokens();
  const before = [await storedRecord(service, person), await storedRecord(service, victim.person)];
  const requests: [string, Record<string, unknown>, string?][] = [
    ['/v1/auth/login', { username: person.username, password: person.password }],
    ['/v1/auth/verify', { challengeToken: tokens.challenge, code: code() }],
    ['/v1/auth/refresh', { refreshToken: tokens.refresh }],
    ['/v1/auth/logout', { refreshToken: tokens.refresh }],
    ['/v1/totp/enroll', { code: code() }, tokens.access],
    ['/v1/totp/confirm', { authenticatorId: 'abcdefghijklmnop', code: code() }, tokens.access],
    ['/v1/authenticators/verify', { code: code() }, tokens.access],
    ['/v1/authenticators/disable', { code: code() }, tokens.access],
    ['/v1/backup-codes/rotate', { code: code() }, tokens.access],
  ];
  const extras = {
    skip: true,
    enrolled: false,
    verified: true,
    totpEnabled: false,
    userId: victim.person.sub,
    sub: victim.person.sub,
    realm: 'users',
    amr: ['pwd', 'otp', 'mfa'],
    gen: '',
    rememberDevice: true,
  };
  for (const [path, body, bearer] of requests) {
    for (const [name, value] of Object.entries(extras)) {
      assertProblem(await client.post(path, { ...body, [name]: value }, bearer), 400, 'invalid_request');
    }
  }
  assert.deepEqual([await storedRecord(service, person), await storedRecord(service, victim.person)], before);
  await assertAllAccepted(situation);
});

test('a query or a header that names another user or a result has no effect', async () => {
  const { person, tokens, code } = await withTokens();
  const victim = await withTokens();
  const before = await storedRecord(service, victim.person);
  const answer = await client.call(
    'POST',
    `/v1/authenticators/verify?userId=${victim.person.sub}&sub=${victim.person.sub}&skip=true&realm=other`,
    {
      body: { code: victim.code() },
      bearer: tokens.access,
      headers: { 'x-user-id': victim.person.sub, 'x-amr': 'mfa', 'x-verified': 'true' },
    },
  );
  assertProblem(answer, 401, 'code_rejected');
  assert.equal((await storedFactor(service, person)).failures, 1);
  const own = await client.call('POST', `/v1/authenticators/disable?userId=${victim.person.sub}`, {
    body: { code: code() },
    bearer: tokens.access,
    headers: { 'x-user-id': victim.person.sub },
  });
  assert.equal(own.status, 200);
  assert.equal((await storedFactor(service, person)).authenticators.length, 0);
  assert.deepEqual(await storedRecord(service, victim.person), before);
});
