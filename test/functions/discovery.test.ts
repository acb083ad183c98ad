import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeJwt } from 'jose';
import { clientOf, signIn } from '../support/client.ts';
import { createPerson } from '../support/people.ts';
import { serviceForTests } from '../support/service.ts';

const service = await serviceForTests();

test('the metadata is public and cacheable and names the issuer of the tokens', async () => {
  const response = await fetch(`${service.url}/.well-known/openid-configuration`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'application/json');
  assert.equal(response.headers.get('cache-control'), 'public, max-age=300');
  const metadata = (await response.json()) as Record<string, unknown>;
  assert.deepEqual(Object.keys(metadata).sort(), [
    'acr_values_supported',
    'claims_supported',
    'id_token_signing_alg_values_supported',
    'issuer',
    'jwks_uri',
    'response_types_supported',
    'subject_types_supported',
  ]);
  const { issuer } = metadata;
  assert.equal(metadata['jwks_uri'], `${issuer}/.well-known/jwks.json`);
  assert.doesNotMatch(String(issuer), /\/$/);
  const { access } = await signIn(clientOf(service), await createPerson(service));
  assert.equal(decodeJwt(access).iss, issuer);
  const claims = metadata['claims_supported'] as string[];
  assert.deepEqual(
    Object.keys(decodeJwt(access)).filter((claim) => !claims.includes(claim)),
    [],
    'every claim that a token carries is listed',
  );
});
