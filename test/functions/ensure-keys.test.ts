import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { decodeProtectedHeader } from 'jose';
import { assertProblem, clientOf, signIn } from '../support/client.ts';
import { published, storedKeys } from '../support/keyring-items.ts';
import { createPerson } from '../support/people.ts';
import { serviceForTests } from '../support/service.ts';
import { storedItem } from '../support/stored.ts';
import { overwrite } from '../support/table.ts';

const service = await serviceForTests();
const client = clientOf(service);
const HOLD = 300;

test('a deployment over an earlier keyring creates a key whose public half KMS certifies, and sessions end once', async () => {
  const person = await createPerson(service);
  const ring = (await storedItem(service, 'KEYRING#signing')) ?? assert.fail('no ring');
  const { wrappedPublic: _, ...old } = ring['keys']?.L?.[0]?.M ?? {};
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const inPlain = { ...old, publicKey: { B: publicKey.export({ format: 'der', type: 'spki' }) } };
  const before = await signIn(client, person);
  await overwrite(service, { ...ring, keys: { L: [{ M: inPlain }] } });

  assert.ok((await service.invoke('ensure-keys', {})).ok);
  const [made = assert.fail('no key'), ...others] = await storedKeys(service, 'signing');
  assert.deepEqual(others, []);
  assert.notEqual(made.id, old['id']?.S);
  service.clock.advance(HOLD);
  assert.deepEqual(await published(service), [made.id]);
  const refreshed = await client.post('/v1/auth/refresh', { refreshToken: before.refresh });
  assertProblem(refreshed, 401, 'refresh_token_invalid');
  const { access } = await signIn(client, person);
  assert.equal(decodeProtectedHeader(access).kid, made.id);
  assert.equal((await client.get('/v1/authenticators', access)).status, 200);

  assert.ok((await service.invoke('ensure-keys', {})).ok);
  assert.deepEqual(await storedKeys(service, 'signing'), [made], 'once');
});
