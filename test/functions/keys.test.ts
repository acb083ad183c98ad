import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeProtectedHeader } from 'jose';
import { clientOf, signIn } from '../support/client.ts';
import { createPerson } from '../support/people.ts';
import { serviceForTests } from '../support/service.ts';

const service = await serviceForTests();

test('the key set is public and cacheable and contains no private key', async () => {
  const response = await fetch(`${service.url}/.well-known/jwks.json`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'application/json');
  assert.equal(response.headers.get('cache-control'), 'public, max-age=300');
  const { keys, ...rest } = (await response.json()) as { keys: Record<string, string>[] };
  assert.deepEqual(rest, {});
  assert.equal(keys.length, 1);
  const [key = {}] = keys;
  assert.deepEqual(Object.keys(key).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use']);
  const { kty, alg, use, n = '' } = key;
  assert.deepEqual({ kty, alg, use }, { kty: 'RSA', alg: 'RS256', use: 'sig' });
  assert.equal(Buffer.from(n, 'base64url').length, 256);

  const { access } = await signIn(clientOf(service), await createPerson(service));
  assert.equal(decodeProtectedHeader(access).kid, key['kid']);
});

test('if the table does not answer, the response is a 503 that nobody caches', async () => {
  service.clock.advance(600);
  service.setFault(({ service: name }) => (name === 'dynamodb' ? 'error' : undefined));
  const response = await fetch(`${service.url}/.well-known/jwks.json`);
  service.setFault(undefined);
  assert.equal(response.status, 503);
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.equal(response.headers.get('retry-after'), '1');
  assert.equal((await fetch(`${service.url}/.well-known/jwks.json`)).status, 200);
});
