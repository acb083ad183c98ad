import assert from 'node:assert/strict';
import { createHmac, createPublicKey, type JsonWebKey } from 'node:crypto';
import { test } from 'node:test';
import {
  assertFields,
  assertPrivate,
  assertProblem,
  challengeFor,
  clientOf,
  enrollPerson,
  signIn,
  text,
} from '../support/client.ts';
import { createPerson } from '../support/people.ts';
import { serviceForTests } from '../support/service.ts';

const service = await serviceForTests();
const client = clientOf(service);

test('a user without a second factor sees none, and a pending enrollment does not show', async () => {
  const person = await createPerson(service);
  const { access } = await signIn(client, person);
  const none = { enabled: false, authenticators: [], backupCodesRemaining: 0 };
  const before = await client.get('/v1/authenticators', access);
  assert.equal(before.status, 200);
  assertPrivate(before);
  assert.deepEqual(before.body, none);
  assert.equal((await client.post('/v1/totp/enroll', { password: person.password }, access)).status, 201);
  assert.deepEqual((await client.get('/v1/authenticators', access)).body, none);
});

test('an authenticator is shown with its id, name and times, never its secret', async () => {
  const person = await createPerson(service);
  const enrolledAt = service.clock.seconds();
  const { access, authenticatorId, nextCode } = await enrollPerson(service, client, person);
  const code = nextCode();
  assert.equal((await client.post('/v1/authenticators/verify', { code }, access)).status, 200);
  const usedAt = service.clock.seconds();

  const answer = await client.get('/v1/authenticators', access);
  assertFields(answer, 200, ['enabled', 'authenticators', 'backupCodesRemaining']);
  assert.equal(answer.body['enabled'], true);
  assert.equal(answer.body['backupCodesRemaining'], 10);
  const [authenticator, ...others] = answer.body['authenticators'] as Record<string, unknown>[];
  assert.deepEqual(others, []);
  const { createdAt, lastUsedAt, ...rest } = authenticator ?? {};
  assert.deepEqual(rest, { kind: 'totp', id: authenticatorId, name: 'Authenticator app' });
  assert.ok(Number(createdAt) - enrolledAt <= 5 && Number(createdAt) >= enrolledAt, `${createdAt}`);
  assert.ok(usedAt - Number(lastUsedAt) <= 5 && Number(lastUsedAt) <= usedAt, `${lastUsedAt}`);
});

test('without a valid access token as bearer, the response is a 401 with WWW-Authenticate', async () => {
  const person = await createPerson(service);
  const { access, refresh } = await enrollPerson(service, client, person);
  const challenge = await challengeFor(client, person);
  const [header = '', payload = '', signature = ''] = access.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
  const raised = Buffer.from(JSON.stringify({ ...claims, sub: 'somebody-else' })).toString('base64url');
  const unsigned = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url');
  const keys = (await client.get('/.well-known/jwks.json')).body['keys'] as JsonWebKey[];
  const publicKey = createPublicKey({ key: keys[0] ?? {}, format: 'jwk' });
  // Tokens with the public key as HMAC secret, in both encodings a verifier may use.
  const confused = (['pem', 'der'] as const).map((format) => {
    const { kid, typ } = JSON.parse(Buffer.from(header, 'base64url').toString());
    const signed = `${Buffer.from(JSON.stringify({ alg: 'HS256', kid, typ })).toString('base64url')}.${payload}`;
    const secret = publicKey.export({ type: 'spki', format: format as 'pem' });
    return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
  });
  const bad = [
    ...confused,
    undefined,
    refresh,
    challenge,
    'nonsense',
    `${header}.${raised}.${signature}`,
    `${unsigned}.${payload}.`,
    `${unsigned}.${payload}.${signature}`,
    `${access} ${access}`,
  ];
  for (const token of bad) {
    const answer = await client.get('/v1/authenticators', token);
    assertProblem(answer, 401, 'token_invalid');
    assertPrivate(answer);
    // API Gateway renames the header of a proxy integration.
    assert.match(
      answer.headers.get('x-amzn-remapped-www-authenticate') ?? '',
      /^Bearer error="invalid_token"/,
    );
  }
  const basic = await client.call('GET', '/v1/authenticators', {
    headers: { authorization: `Basic ${access}` },
  });
  assertProblem(basic, 401, 'token_invalid');
});

test('an access token expires after 300 seconds', async () => {
  const { access } = await signIn(client, await createPerson(service));
  service.clock.advance(297);
  assert.equal((await client.get('/v1/authenticators', access)).status, 200);
  service.clock.advance(4);
  assertProblem(await client.get('/v1/authenticators', access), 401, 'token_invalid');
});

test('a step-up token is an access token like any other', async () => {
  const person = await createPerson(service);
  const { access, code } = await enrollPerson(service, client, person);
  const stepUp = await client.post('/v1/authenticators/verify', { code: code() }, access);
  assert.equal((await client.get('/v1/authenticators', text(stepUp, 'accessToken'))).status, 200);
});
