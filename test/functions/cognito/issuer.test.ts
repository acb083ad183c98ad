import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DescribeUserPoolCommand, UpdateUserPoolCommand } from '@aws-sdk/client-cognito-identity-provider';
import '../../support/native-powers.ts';
import { clientOf } from '../../support/client.ts';
import { enrollFromCognito, fullSession, passwordSession } from '../../support/cognito-sign-in.ts';
import { cognitoOf, createPerson } from '../../support/people.ts';
import { serviceForTests } from '../../support/service.ts';

const service = await serviceForTests();
const client = clientOf(service);

test('the pool’s tokens are accepted from either of its issuers, ORIGINAL or UPDATED', async (t) => {
  const person = await createPerson(service);
  const original = await passwordSession(service, person);
  const cognito = cognitoOf(service);
  t.after(() => cognito.destroy());
  const { userPoolId: UserPoolId } = service.local.cognito;
  const { UserPool } = await cognito.send(new DescribeUserPoolCommand({ UserPoolId }));
  const { LambdaConfig, Policies } = UserPool ?? {};
  await cognito.send(
    new UpdateUserPoolCommand({
      UserPoolId,
      LambdaConfig,
      Policies,
      IssuerConfiguration: { Type: 'UPDATED' },
    }),
  );
  const updated = await passwordSession(service, person);
  assert.deepEqual(
    [original, updated].map(({ claims }) => new URL(claims.access.iss ?? '').host.split('.')[0]),
    ['cognito-idp', 'issuer-cognito-idp'],
  );
  for (const { access } of [original, updated]) {
    assert.equal((await client.get('/v1/authenticators', access)).status, 200);
  }
  const { code } = await enrollFromCognito(service, client, person);
  const signedIn = await fullSession(service, person, code());
  const { body } = await client.get('/v1/authenticators', signedIn.access);
  assert.equal(body['enabled'], true);
});
