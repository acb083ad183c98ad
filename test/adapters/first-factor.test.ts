import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { AwsError } from '@countersign/local-aws/aws-error';
import { createClock } from '@countersign/local-aws/clock';
import { startAwsServer } from '@countersign/local-aws/http';
import { SignJWT } from 'jose';
import { createCognitoFirstFactor, sourceOf } from '../../adapters/first-factor.ts';
import type { SignInSource } from '../../core/ports.ts';
import { gatewayEvent } from '../support/gateway-event.ts';
import { refusal } from '../support/refusal.ts';

/** The next responses of AdminInitiateAuth and RevokeToken, and what the last requests held. */
let answer: AwsError | object = {};
let revocation: AwsError | object = {};
let revoked: unknown;
let asked: Record<string, unknown> = {};
const principal = {
  arn: 'arn:aws:iam::1:user/one',
  accessKeyId: 'ONE',
  secretAccessKey: 'two',
  policies: [],
};
const server = await startAwsServer({
  service: 'cognito-idp',
  targetPrefix: 'AWSCognitoIdentityProviderService',
  contentType: 'application/x-amz-json-1.1',
  context: {
    clock: createClock(),
    region: 'eu-central-1',
    account: '123456789012',
    principal: () => principal,
    onCall() {},
    fault: () => undefined,
  },
  unsigned: new Set(['RevokeToken']),
  operations: {
    async AdminInitiateAuth({ input }) {
      asked = input;
      if (answer instanceof AwsError) throw answer;
      return answer;
    },
    async RevokeToken({ input }) {
      revoked = input['Token'];
      if (revocation instanceof AwsError) throw revocation;
      return revocation;
    },
  },
});
after(() => server.close());
process.env['AWS_REGION'] = 'eu-central-1';
process.env['AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER'] = server.endpoint;
process.env['AWS_ACCESS_KEY_ID'] = principal.accessKeyId;
process.env['AWS_SECRET_ACCESS_KEY'] = principal.secretAccessKey;
const firstFactor = createCognitoFirstFactor({ USER_POOL_ID: 'eu-central-1_Pool', LOGIN_CLIENT_ID: 'login' });
const check = (source?: SignInSource) => firstFactor.check('alice', 'Correct-horse-7', source);

for (const name of [
  'NotAuthorizedException',
  'UserNotFoundException',
  'UserNotConfirmedException',
  'PasswordResetRequiredException',
  'InvalidParameterException',
  'UserLambdaValidationException',
  'MFAMethodNotFoundException',
]) {
  test(`${name} looks like a wrong password`, async () => {
    answer = new AwsError(name, 'PreAuthentication failed with error closed.');
    await assert.rejects(check(), refusal('invalid_credentials'));
  });
}

for (const name of [
  'InvalidLambdaResponseException',
  'UnexpectedLambdaException',
  'InvalidUserPoolConfigurationException',
  'ResourceNotFoundException',
  'TooManyRequestsException',
  'InternalErrorException',
  'AccessDeniedException',
  'SomethingNewException',
]) {
  test(`${name} is a fault`, async () => {
    answer = new AwsError(name, 'PreAuthentication failed with error closed.');
    await assert.rejects(check(), refusal('temporarily_unavailable'));
  });
}

for (const trigger of ['PreTokenGeneration', 'PostAuthentication']) {
  test(`${trigger} runs after the right password only: if it fails, that is a fault`, async () => {
    answer = new AwsError('UserLambdaValidationException', `${trigger} failed with error closed.`);
    await assert.rejects(check(), refusal('temporarily_unavailable'));
  });
}

test('Cognito gets the address that API Gateway saw, whatever a header says', async () => {
  answer = { ChallengeName: 'NEW_PASSWORD_REQUIRED' };
  const headers = { 'user-agent': 'Browser/1', 'X-Forwarded-For': '198.51.100.1' };
  await assert.rejects(check(sourceOf(gatewayEvent({ headers }))), refusal('new_password_required'));
  assert.deepEqual(asked['ContextData'], {
    IpAddress: '192.0.2.7',
    ServerName: 'api.example',
    ServerPath: '/prod/v1/auth/login',
    HttpHeaders: [{ headerName: 'User-Agent', headerValue: 'Browser/1' }],
  });
});

test('without a User-Agent, Cognito still gets every field it requires', async () => {
  answer = { ChallengeName: 'NEW_PASSWORD_REQUIRED' };
  await assert.rejects(check(sourceOf(gatewayEvent({ headers: {} }))), refusal('new_password_required'));
  const { HttpHeaders, ...rest } = asked['ContextData'] as Record<string, unknown>;
  assert.deepEqual(HttpHeaders, []);
  assert.deepEqual(Object.keys(rest), ['IpAddress', 'ServerName', 'ServerPath']);
});

const accessToken = await new SignJWT({ sub: 'sub-of-alice' })
  .setProtectedHeader({ alg: 'HS256' })
  .sign(Buffer.from('a key of the pool that nobody checks here'));
const signedIn = { AuthenticationResult: { AccessToken: accessToken, RefreshToken: 'refresh-1' } };

test('the right password returns the user, and revokes the session that Cognito opened', async () => {
  answer = signedIn;
  revocation = {};
  assert.deepEqual(await check(), { sub: 'sub-of-alice', username: 'alice' });
  assert.equal(revoked, 'refresh-1');
});

test('if that session cannot be revoked, the sign-in fails', async () => {
  answer = signedIn;
  revocation = new AwsError('InternalErrorException', 'closed');
  await assert.rejects(check(), refusal('temporarily_unavailable'));
});

test('if the pool asks for another step, the sign-in fails with a code of its own', async () => {
  answer = { ChallengeName: 'SMS_MFA' };
  await assert.rejects(check(), refusal('sign_in_step_unsupported'));
});

for (const name of ['InvalidParameterException', 'UserLambdaValidationException']) {
  test(`${name} keeps its cause for the log, because the pool's set-up may be wrong`, async () => {
    answer = new AwsError(name, 'PreAuthentication failed with error closed.');
    await assert.rejects(check(), ({ cause }: Error) => cause instanceof Error && cause.name === name);
  });
}
