import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AdminDisableUserCommand,
  AdminResetUserPasswordCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import {
  assertFields,
  assertPrivate,
  assertProblem,
  clientOf,
  enrollPerson,
  SESSION,
  text,
} from '../support/client.ts';
import { cognitoOf, createPerson } from '../support/people.ts';
import { serviceForTests } from '../support/service.ts';
import { callsDuring, storedRecord } from '../support/stored.ts';

/** The last password check sent to Cognito. */
let asked: Record<string, unknown> = {};
const service = await serviceForTests(undefined, {
  onExchange({ operation, request }) {
    if (operation === 'AdminInitiateAuth') asked = JSON.parse(request.body);
  },
});
const client = clientOf(service);
const logIn = ({ username, password }: { username: string; password: string }) =>
  client.post('/v1/auth/login', { username, password });

test('a user without a second factor gets a session', async () => {
  const person = await createPerson(service);
  const answer = await logIn(person);
  assertFields(answer, 200, [...SESSION, 'status', 'totpEnabled']);
  assertPrivate(answer);
  assert.equal(answer.headers.get('content-type'), 'application/json');
  assert.equal(answer.body['status'], 'authenticated');
  assert.equal(answer.body['totpEnabled'], false);
  assert.equal(answer.body['tokenType'], 'Bearer');
  assert.equal(answer.body['expiresIn'], 300);
  assert.equal(await storedRecord(service, person), undefined);
});

test('the access token is an RFC 9068 token, signed with a key of the JWKS, that says what was proved', async () => {
  const person = await createPerson(service);
  const answer = await logIn(person);
  const documents = await client.get('/.well-known/openid-configuration');
  const keys = await client.get('/.well-known/jwks.json');
  const { payload, protectedHeader } = await jwtVerify(
    text(answer, 'accessToken'),
    createLocalJWKSet(keys.body as unknown as JSONWebKeySet),
    { currentDate: new Date(service.clock.now()), issuer: text(documents, 'issuer'), algorithms: ['RS256'] },
  );
  assert.equal(protectedHeader.typ, 'at+jwt');
  assert.deepEqual(
    ['iss', 'aud', 'sub', 'client_id', 'iat', 'exp', 'jti', 'auth_time', 'amr', 'acr'].filter(
      (claim) => payload[claim] === undefined,
    ),
    [],
  );
  const { sub, client_id, amr, acr, iat = 0, exp = 0, auth_time } = payload;
  assert.deepEqual(
    { sub, client_id, amr, acr, lives: exp - iat, auth_time },
    {
      sub: person.sub,
      client_id: 'app',
      amr: ['pwd'],
      acr: 'urn:countersign:1fa',
      lives: 300,
      auth_time: iat,
    },
  );
});

test('a user with a second factor gets a challenge and no session token', async () => {
  const person = await createPerson(service);
  await enrollPerson(service, client, person);
  const answer = await logIn(person);
  assertFields(answer, 200, ['status', 'challengeToken', 'expiresIn', 'methods']);
  assertPrivate(answer);
  assert.equal(answer.body['status'], 'challenge');
  assert.equal(answer.body['expiresIn'], 120);
  assert.deepEqual(answer.body['methods'], ['totp', 'backup_code']);
});

test('an unknown user and a wrong password get the same response', async () => {
  const person = await createPerson(service);
  const wrong = await logIn({ ...person, password: 'Wrong-password-1' });
  const unknown = await logIn({ username: 'nobody-of-this-name', password: person.password });
  assertProblem(wrong, 401, 'invalid_credentials');
  assertPrivate(wrong);
  assert.deepEqual({ ...unknown.body, requestId: '' }, { ...wrong.body, requestId: '' });
  assert.equal(unknown.status, wrong.status);
  const headerNames = (answer: typeof wrong) => [...answer.headers.keys()];
  assert.deepEqual(headerNames(unknown), headerNames(wrong));
});

test("Cognito's own tokens are revoked before the response", async () => {
  const person = await createPerson(service);
  const calls = await callsDuring(service, () => logIn(person));
  assert.deepEqual(
    calls.filter((call) => call.startsWith('cognito-idp:')),
    ['cognito-idp:AdminInitiateAuth', 'cognito-idp:RevokeToken'],
  );
});

test("Cognito's threat protection gets the source of the password: the connection's address, not a header's", async () => {
  const { username, password } = await createPerson(service);
  const headers = { 'user-agent': 'Browser/1', 'x-forwarded-for': '198.51.100.1' };
  const told = (path: string) => ({
    IpAddress: '127.0.0.1',
    ServerName: new URL(service.url).host,
    ServerPath: path,
    HttpHeaders: [{ headerName: 'User-Agent', headerValue: 'Browser/1' }],
  });
  const login = await client.call('POST', '/v1/auth/login', { body: { username, password }, headers });
  assert.deepEqual(asked['ContextData'], told('/v1/auth/login'));
  const bearer = text(login, 'accessToken');
  await client.call('POST', '/v1/totp/enroll', { body: { password }, bearer, headers });
  assert.deepEqual(asked['ContextData'], told('/v1/totp/enroll'));
});

test('a temporary password gets new_password_required, and only if it is right', async () => {
  const person = await createPerson(service, { permanent: false });
  assertProblem(await logIn({ ...person, password: 'Wrong-password-1' }), 401, 'invalid_credentials');
  assertProblem(await logIn(person), 403, 'new_password_required');
});

test('a disabled user and one whose password must be reset look like a wrong password', async () => {
  const cognito = cognitoOf(service);
  const [disabled, reset] = [await createPerson(service), await createPerson(service)];
  const of = ({ username }: { username: string }) => ({
    UserPoolId: service.local.cognito.userPoolId,
    Username: username,
  });
  await cognito.send(new AdminDisableUserCommand(of(disabled)));
  await cognito.send(new AdminResetUserPasswordCommand(of(reset)));
  cognito.destroy();
  assertProblem(await logIn(disabled), 401, 'invalid_credentials');
  assertProblem(await logIn(reset), 401, 'invalid_credentials');
});

test("Cognito's own lockout looks like a wrong password, even for the right one", async () => {
  const person = await createPerson(service);
  for (let failures = 0; failures < 6; failures++) {
    assertProblem(await logIn({ ...person, password: 'Wrong-password-1' }), 401, 'invalid_credentials');
  }
  assertProblem(await logIn(person), 401, 'invalid_credentials');
});

for (const fault of ['throttle', 'error', 'lose-answer'] as const) {
  test(`a first factor that fails with "${fault}" gives a 503 with Retry-After and no session`, async () => {
    const person = await createPerson(service);
    service.setFault(({ operation }) => (operation === 'AdminInitiateAuth' ? fault : undefined));
    const answer = await logIn(person);
    service.setFault(undefined);
    assertProblem(answer, 503, 'temporarily_unavailable');
    assert.equal(answer.headers.get('retry-after'), '1');
    assertPrivate(answer);
  });
}

test('if the table does not answer, nobody counts as having no second factor', async () => {
  const person = await createPerson(service);
  await enrollPerson(service, client, person);
  service.setFault(({ operation }) => (operation === 'GetItem' ? 'error' : undefined));
  const answer = await logIn(person);
  service.setFault(undefined);
  assertProblem(answer, 503, 'temporarily_unavailable');
});
