// This needs its own deployment, because the shared one allows no origin.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Route, routes } from '../../functions/routes.ts';
import { assertProblem, clientOf, signIn } from '../support/client.ts';
import { createPerson } from '../support/people.ts';
import { serviceForTests } from '../support/service.ts';

const origins = ['https://app.example.com', 'http://localhost:5173'];
const service = await serviceForTests({ cors: { origins } });
const client = clientOf(service);
const called = (Object.values(routes) as Route[]).filter(
  ({ caller }) => caller === 'key' || caller === 'bearer',
);

test('a browser of each configured origin can call every operation for apps, with its headers', async () => {
  for (const { path, method } of called) {
    for (const origin of origins) {
      const response = await fetch(service.url + path, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': method,
          'access-control-request-headers': 'authorization,content-type,x-api-key',
        },
      });
      assert.equal(response.status, 204, path);
      assert.equal(response.headers.get('access-control-allow-origin'), origin, path);
      const allowed = (name: string) => (response.headers.get(name) ?? '').toLowerCase().split(/, */);
      assert.ok(allowed('access-control-allow-methods').includes(method.toLowerCase()), path);
      for (const header of ['authorization', 'content-type', 'x-api-key']) {
        assert.ok(allowed('access-control-allow-headers').includes(header), `${path} ${header}`);
      }
      assert.equal(response.headers.get('access-control-allow-credentials'), null);
    }
  }
});

test('another origin is not allowed', async () => {
  for (const origin of ['https://evil.example.com', 'https://app.example.com.evil.example', 'null']) {
    const preflight = await fetch(`${service.url}/v1/auth/login`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    });
    assert.notEqual(preflight.headers.get('access-control-allow-origin'), origin);
    assert.notEqual(preflight.headers.get('access-control-allow-origin'), '*');
    const answer = await client.call('POST', '/v1/auth/login', { body: {}, headers: { origin } });
    assert.equal(answer.headers.get('access-control-allow-origin'), null);
  }
});

test('the requesting origin can read responses and refusals, and no cache serves them to another', async () => {
  const person = await createPerson(service);
  const { access } = await signIn(client, person);
  const [origin = ''] = origins;
  const status = await client.call('GET', '/v1/authenticators', { bearer: access, headers: { origin } });
  const refused = await client.call('GET', '/v1/authenticators', { headers: { origin } });
  assert.equal(status.status, 200);
  assertProblem(refused, 401, 'token_invalid');
  for (const answer of [status, refused]) {
    assert.equal(answer.headers.get('access-control-allow-origin'), origin);
    assert.match(answer.headers.get('vary') ?? '', /\bOrigin\b/);
    assert.equal(answer.headers.get('access-control-expose-headers'), 'retry-after');
  }
  const throttledBy = await clientOf(service, 'not-a-key').call('GET', '/v1/authenticators', {
    headers: { origin },
  });
  assertProblem(throttledBy, 403, 'api_key_invalid');
  assert.ok(['*', origin].includes(throttledBy.headers.get('access-control-allow-origin') ?? ''));
});
