import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Operation, type Route, routes } from '../../functions/routes.ts';
import { administratorOf, signature } from '../support/administrator.ts';
import { assertProblem, clientOf, enrollPerson, signIn } from '../support/client.ts';
import { createPerson } from '../support/people.ts';
import { serviceForTests } from '../support/service.ts';

const service = await serviceForTests();
const client = clientOf(service);
const all = Object.entries(routes) as [Operation, Route][];
const pathOf = ({ path }: Route) => path.replace('{userId}', 'somebody');
const bodyOf = ({ method, caller }: Route) => (method === 'POST' && caller !== 'iam' ? { body: {} } : {});

for (const [operation, route] of all.filter(([, { caller }]) => caller !== 'open')) {
  test(`${operation} refuses requests without an API key of this service`, async () => {
    const headers: Record<string, string> =
      route.caller === 'iam'
        ? signature(service, service.local.admin, {
            method: route.method,
            path: pathOf(route),
            at: service.clock.now(),
          })
        : {};
    for (const key of ['', 'not-a-key', service.local.apiKey.toUpperCase()]) {
      const stranger = clientOf(service, key);
      const answer = await stranger.call(route.method, pathOf(route), { ...bodyOf(route), headers });
      assertProblem(answer, 403, 'api_key_invalid');
      assert.equal(answer.headers.get('cache-control'), 'no-store');
    }
    const none = await fetch(service.url + pathOf(route), { method: route.method, headers });
    assert.equal(none.status, 403);
    assert.equal(((await none.json()) as { code: string }).code, 'api_key_invalid');
  });
}

for (const [operation, route] of all.filter(([, { caller }]) => caller === 'open')) {
  test(`${operation} is public`, async () => {
    assert.equal((await fetch(service.url + pathOf(route))).status, 200);
  });
}

for (const [operation, route] of all.filter(([, { caller }]) => caller === 'bearer')) {
  test(`${operation} refuses requests without a valid access token before it reads the body`, async () => {
    const person = await createPerson(service);
    const { access, refresh } = await signIn(client, person);
    const altered = access.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')).replace(/\.[^.]{5}/, '.AAAAA');
    for (const token of [undefined, 'nonsense', 'a.b.c', refresh, altered]) {
      const answer = await client.call(route.method, pathOf(route), {
        ...(route.method === 'POST' && { body: '{"broken":' }),
        ...(token !== undefined && { bearer: token }),
      });
      assertProblem(answer, 401, 'token_invalid');
    }
  });
}

for (const [operation, route] of all.filter(([, { caller }]) => caller === 'iam')) {
  test(`${operation} accepts only a signer whose policy allows this exact call`, async () => {
    const { method } = route;
    const path = pathOf(route);
    const now = service.clock.now();
    const { admin } = service.local;
    const signed = (options: { credentials?: typeof admin; path?: string; method?: string; at?: number }) =>
      signature(service, options.credentials ?? admin, { method, path, at: now, ...options });
    const anybody = service.principals.user('anybody', []);
    const another = service.principals.user('another', [
      {
        Effect: 'Allow',
        Action: 'execute-api:Invoke',
        Resource: 'arn:aws:execute-api:*:*:*/*/GET/v1/authenticators',
      },
    ]);
    const { access } = await signIn(client, await createPerson(service));
    const refused: [string, Record<string, string>, string | undefined][] = [
      ['no signature', {}, 'unknown_operation'],
      ['an access token of this service', { authorization: `Bearer ${access}` }, undefined],
      [
        'a wrong secret',
        signed({ credentials: { ...admin, secretAccessKey: 'x'.repeat(40) } }),
        'signature_invalid',
      ],
      [
        'an unknown signer',
        signed({ credentials: { ...admin, accessKeyId: 'AKIAAAAAAAAAAAAAAAAA' } }),
        undefined,
      ],
      ['another path', signed({ path: `${path}x` }), 'signature_invalid'],
      ['another method', signed({ method: method === 'GET' ? 'POST' : 'GET' }), 'signature_invalid'],
      ['six minutes ago', signed({ at: now - 360_000 }), 'signature_invalid'],
      ['in six minutes', signed({ at: now + 360_000 }), 'signature_invalid'],
      ['no policy', signed({ credentials: { ...admin, ...anybody } }), 'access_denied'],
      ["another call's policy", signed({ credentials: { ...admin, ...another } }), 'access_denied'],
    ];
    for (const [who, headers, code] of refused) {
      const answer = await client.call(method, path, { headers });
      if (code) assertProblem(answer, 403, code);
      assert.equal(answer.status, 403, who);
      assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/, who);
    }
  });
}

test('only a signature lets an administrator in, not a session', async () => {
  const person = await createPerson(service);
  const { access } = await enrollPerson(service, client, person);
  assert.equal((await administratorOf(service).status(person.sub)).status, 200);
  const answer = await client.get(`/v1/admin/users/${person.sub}`, access);
  assert.equal(answer.status, 403);
});

test("an unknown path and a wrong method get API Gateway's own response, in the common format", async () => {
  for (const [method, path] of [
    ['GET', '/'],
    ['GET', '/v1'],
    ['GET', '/v2/totp'],
    ['GET', '/v1/auth/login'],
    ['DELETE', '/v1/authenticators'],
    ['PUT', '/v1/totp/confirm'],
    ['POST', '/.well-known/jwks.json'],
    ['GET', '/v1/TOTP'],
  ] as const) {
    const answer = await client.call(method, path);
    assertProblem(answer, 403, 'unknown_operation');
    assert.equal(answer.headers.get('cache-control'), 'no-store');
  }
});

test('a client over its plan gets a 429 with Retry-After in the common format, and is served again later', async () => {
  const limited = clientOf(service, service.local.limitedApiKey);
  const logIn = () => limited.post('/v1/auth/login', { username: 'nobody', password: 'nothing' });
  const answers = await Promise.all(Array.from({ length: 12 }, logIn));
  const throttled = answers.filter(({ status }) => status === 429);
  assert.ok(throttled.length >= 6, `${throttled.length}`);
  for (const answer of throttled) {
    assertProblem(answer, 429, 'throttled');
    assert.equal(answer.headers.get('retry-after'), '1');
  }
  service.clock.advance(2);
  assertProblem(await logIn(), 401, 'invalid_credentials');
});
