// Login against pools unlike the one this project deploys, which need their own deployment beside login.test.ts.
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { SignUpCommand } from '@aws-sdk/client-cognito-identity-provider';
import { assertProblem, clientOf } from '../support/client.ts';
import { cognitoOf, createPerson } from '../support/people.ts';
import { serviceForTests } from '../support/service.ts';

const service = await serviceForTests(undefined, {
  userPool: {
    MfaConfiguration: 'ON',
    EnabledMfas: ['SOFTWARE_TOKEN_MFA'],
    AdminCreateUserConfig: { AllowAdminCreateUserOnly: false },
  },
});
const client = clientOf(service);

test("the pool's own MFA step has its own error code, and only the right password leads to it", async () => {
  const { username, password } = await createPerson(service);
  const wrong = await client.post('/v1/auth/login', { username, password: 'Wrong-password-1' });
  assertProblem(wrong, 401, 'invalid_credentials');
  assertProblem(await client.post('/v1/auth/login', { username, password }), 403, 'sign_in_step_unsupported');
});

test('an unconfirmed account looks like a wrong password', async () => {
  const username = `person-${randomBytes(6).toString('hex')}`;
  const password = `${randomBytes(12).toString('base64url')}-Aa1`;
  const cognito = cognitoOf(service);
  await cognito.send(
    new SignUpCommand({
      ClientId: service.local.cognito.clientId,
      Username: username,
      Password: password,
    }),
  );
  cognito.destroy();
  assertProblem(await client.post('/v1/auth/login', { username, password }), 401, 'invalid_credentials');
});
