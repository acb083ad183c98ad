// An attacker with the password or a session tries to have the second factor removed and to enroll first.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AdminSetUserPasswordCommand,
  ConfirmForgotPasswordCommand,
  ForgotPasswordCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import '../support/native-powers.ts';
import { administratorOf } from '../support/administrator.ts';
import {
  assertProblem,
  challengeFor,
  clientOf,
  codeAt,
  enrollByTicket,
  enrollPerson,
  type Person,
  signIn,
  text,
} from '../support/client.ts';
import { answer, challenged, mailedCode, password, passwordSession } from '../support/cognito-sign-in.ts';
import { cognitoOf } from '../support/people.ts';
import { unthrottled } from '../support/plans.ts';
import { serviceForTests } from '../support/service.ts';
import { storedFactor, storedRecord } from '../support/stored.ts';
import { overwrite } from '../support/table.ts';
import { backupCodeWays, enrolledPerson, nextStep, personWithWays } from '../support/ways.ts';

const service = await serviceForTests(unthrottled);
const client = clientOf(service);
const administrator = administratorOf(service);
const GUESS = 'aaaa-bbbb-cccc-dddd';

const answerTo = async (person: Person, proof: Record<string, unknown>) =>
  client.post('/v1/auth/verify', { challengeToken: await challengeFor(client, person), ...proof });

/** Sets the record as if this many codes had been wrong in a row, each after the previous lock. */
async function afterFailures(person: { sub: string }, failures: number): Promise<void> {
  const record = (await storedRecord(service, person)) ?? assert.fail();
  await overwrite(service, { ...record, f: { N: String(failures) } });
}

/** Creates a user whose codes are stopped after too many wrong ones. */
async function stoppedPerson() {
  const enrolled = await enrolledPerson(service, client);
  await afterFailures(enrolled.person, 99);
  assertProblem(await answerTo(enrolled.person, { code: enrolled.wrongCode() }), 401, 'code_rejected');
  assertProblem(await answerTo(enrolled.person, { code: enrolled.nextCode() }), 403, 'factor_stopped');
  return enrolled;
}

async function newPassword({ username: Username }: Person, Password: string): Promise<void> {
  const cognito = cognitoOf(service);
  const UserPoolId = service.local.cognito.userPoolId;
  await cognito.send(new AdminSetUserPasswordCommand({ UserPoolId, Username, Password, Permanent: true }));
  cognito.destroy();
  await service.eventsDelivered();
}

test('a backup code works despite a lock and a stop, on every path that accepts one', async () => {
  const { person, ways, wrongCode, code, backupCodes } = await personWithWays(service, client);
  for (let failures = 0; failures < 5; failures++) await ways.verify({ code: wrongCode() });
  const [first = '', ...others] = backupCodes;
  assertProblem(await ways.verify({ code: code() }), 429, 'too_many_attempts');
  assert.equal((await ways['verify-login']({ backupCode: first })).status, 200);
  assert.equal((await storedFactor(service, person)).failures, 5, 'a backup code clears no wrong code');

  await afterFailures(person, 100);
  for (const [index, way] of backupCodeWays.entries()) {
    assertProblem(await ways.verify({ code: code() }), 403, 'factor_stopped');
    const used = await ways[way]({ backupCode: others[index] ?? '' });
    assert.ok(used.status < 300, `${way}: ${JSON.stringify(used.body)}`);
  }
  assert.equal((await storedFactor(service, person)).failures, 100);
});

test('wrong backup codes lock nobody out and spend no attempts at codes', async () => {
  const { person, ways, wrongCode, code } = await personWithWays(service, client);
  for (let failures = 0; failures < 4; failures++) await ways.verify({ code: wrongCode() });
  const challenge = await challengeFor(client, person);
  const guesses = Array.from({ length: 30 }, () =>
    client.post('/v1/auth/verify', { challengeToken: challenge, backupCode: GUESS }),
  );
  for (const guess of await Promise.all(guesses)) assertProblem(guess, 401, 'code_rejected');
  const { failures, backupFailures, lockedUntil } = await storedFactor(service, person);
  assert.deepEqual([failures, lockedUntil], [4, 0]);
  assert.ok(backupFailures >= 1 && backupFailures <= 30);
  nextStep(service);
  assert.equal((await ways.verify({ code: code() })).status, 200);
});

test('an attacker with the password who forces a stop gets neither a session nor an authenticator from the reset', async () => {
  const { person, access, backupCodes, code } = await stoppedPerson();
  const reset = await administrator.reset(person.sub);
  const ticket = text(reset, 'enrollmentTicket');
  const bare = await storedFactor(service, person);

  const login = await client.post('/v1/auth/login', {
    username: person.username,
    password: person.password,
  });
  assert.deepEqual(
    [login.body['status'], login.body['methods'], login.body['accessToken']],
    ['challenge', ['enrollment_ticket'], undefined],
  );
  const challengeToken = text(login, 'challengeToken');
  const verify = (proof: object) => client.post('/v1/auth/verify', { challengeToken, ...proof });
  assertProblem(await verify({ code: code() }), 400, 'invalid_request');
  assertProblem(await verify({ backupCode: backupCodes[0] }), 400, 'invalid_request');
  assertProblem(await verify({ enrollmentTicket: GUESS }), 401, 'code_rejected');
  for (const bearer of [access, challengeToken]) {
    assertProblem(
      await client.post('/v1/totp/enroll', { enrollmentTicket: GUESS }, bearer),
      401,
      'token_invalid',
    );
  }
  const { authenticators, pending, failures, generation } = await storedFactor(service, person);
  assert.deepEqual([authenticators, pending, failures], [[], undefined, 0]);
  assert.equal(generation, bare.generation);

  const owner = await enrollByTicket(service, client, person, ticket);
  assert.equal((await answerTo(person, { code: owner.code() })).status, 200);
});

test('in a stop the owner can replace the authenticator with backup codes, and an attacker with the password never gets in', async () => {
  const { person, authenticatorId, backupCodes } = await stoppedPerson();
  const waiting = async () => {
    const { username, password } = person;
    const { body } = await client.post('/v1/auth/login', { username, password });
    assert.deepEqual([body['status'], body['methods']], ['challenge', ['totp', 'backup_code']]);
  };
  const [first, second, third, fourth] = backupCodes;
  const signedIn = await answerTo(person, { backupCode: first });
  let access = text(signedIn, 'accessToken');
  const post = (path: string, body: object) => client.post(path, body, access);
  assertProblem(await post('/v1/authenticators/disable', { backupCode: second }), 403, 'factor_stopped');
  await waiting();
  const pending = await post('/v1/totp/enroll', { name: 'New phone', backupCode: second });
  await waiting();
  const code = () => codeAt(text(pending, 'secret'), service.clock.seconds());
  const added = await post('/v1/totp/confirm', {
    authenticatorId: text(pending, 'authenticatorId'),
    code: code(),
  });
  access = text(added, 'accessToken');
  await waiting();
  const removed = await post('/v1/authenticators/disable', { backupCode: third, authenticatorId });
  assert.equal(removed.status, 200, JSON.stringify(removed.body));
  await waiting();
  service.clock.advance(30);
  assert.equal((await answerTo(person, { code: code() })).status, 200);
  const { stoppedAt, authenticators, backupCodes: left } = await storedFactor(service, person);
  assert.deepEqual([stoppedAt, authenticators.length, left?.digests.length], [undefined, 1, 7]);
  assert.ok(fourth);
});

test('a stolen session that forces a stop is void after the reset', async () => {
  const { person, access, refresh, wrongCode } = await enrolledPerson(service, client);
  await afterFailures(person, 99);
  assertProblem(
    await client.post('/v1/authenticators/disable', { code: wrongCode() }, access),
    401,
    'code_rejected',
  );
  assert.equal((await administrator.status(person.sub)).body['stopped'], true);
  await administrator.reset(person.sub);
  for (const path of ['/v1/totp/enroll', '/v1/authenticators/verify', '/v1/authenticators/disable']) {
    assertProblem(await client.post(path, { code: wrongCode() }, access), 401, 'token_invalid');
  }
  const renewed = await client.post('/v1/auth/refresh', { refreshToken: refresh });
  assertProblem(renewed, 401, 'refresh_token_invalid');
  assert.deepEqual((await storedFactor(service, person)).authenticators, []);
});

test('a ticket enrolls only its user, only once, until it expires or a new one replaces it', async () => {
  const [one, other] = [await enrolledPerson(service, client), await enrolledPerson(service, client)];
  const first = text(await administrator.reset(one.person.sub), 'enrollmentTicket');
  const second = text(await administrator.reset(one.person.sub), 'enrollmentTicket');
  const late = text(await administrator.reset(other.person.sub), 'enrollmentTicket');
  for (const foreign of [first, late]) {
    assertProblem(await answerTo(one.person, { enrollmentTicket: foreign }), 401, 'code_rejected');
  }
  await enrollByTicket(service, client, one.person, second);
  assertProblem(await answerTo(one.person, { enrollmentTicket: second }), 400, 'invalid_request');
  service.clock.advance(86_400);
  assertProblem(await answerTo(other.person, { enrollmentTicket: late }), 401, 'code_rejected');
  assert.deepEqual((await storedFactor(service, other.person)).authenticators, []);
});

test('a session opened with a ticket can only enroll, and only with the ticket', async () => {
  const { person } = await enrolledPerson(service, client);
  const ticket = text(await administrator.reset(person.sub), 'enrollmentTicket');
  const opened = await answerTo(person, { enrollmentTicket: ticket });
  const access = text(opened, 'accessToken');
  assertProblem(await client.get('/v1/authenticators', access), 403, 'enrollment_required');
  const { password } = person;
  const enroll = (body: object) => client.post('/v1/totp/enroll', body, access);
  assertProblem(await enroll({ password }), 403, 'enrollment_ticket_required');
  assertProblem(await enroll({ password, enrollmentTicket: GUESS }), 401, 'code_rejected');
  assertProblem(await enroll({ enrollmentTicket: ticket }), 400, 'invalid_request');
  const wrong = await enroll({ password: `${password}?`, enrollmentTicket: ticket });
  assertProblem(wrong, 401, 'invalid_credentials');
  assert.equal((await storedFactor(service, person)).pending, undefined);
});

test('support can end a stop only once the password is new', async () => {
  const { person, nextCode } = await stoppedPerson();
  assertProblem(await administrator.unlock(person.sub), 403, 'new_password_required');
  const before = await storedRecord(service, person);
  assertProblem(await administrator.unlock(person.sub, { reason: 'please' }), 403, 'new_password_required');
  assert.deepEqual(await storedRecord(service, person), before);
  service.clock.advance(2);
  await newPassword(person, 'Another-horse-8-long');
  const unlocked = await administrator.unlock(person.sub);
  assert.deepEqual([unlocked.status, unlocked.body['stopped']], [200, false]);
  const owner = { ...person, password: 'Another-horse-8-long' };
  assert.equal((await answerTo(owner, { code: nextCode() })).status, 200);
});

test("Cognito's sign-in requires the ticket too: the old password alone gets no token there", async () => {
  const { person } = await stoppedPerson();
  const ticket = text(await administrator.reset(person.sub), 'enrollmentTicket');
  // Cognito's tokens from the two seconds after a change are void here.
  service.clock.advance(3);
  const asked = await challenged(service, person);
  assert.equal((await answer(asked, GUESS)).kind, 'custom', 'no token');
  const signedIn = await answer(asked, ticket);
  assert.ok(signedIn.kind === 'session');
  const access = signedIn.session.getAccessToken();
  assert.equal(access.payload['enrollment_required'], 'true');
  const enroll = (body: object) => client.post('/v1/totp/enroll', body, access.getJwtToken());
  assertProblem(await enroll({}), 403, 'enrollment_ticket_required');
  const pending = await enroll({ enrollmentTicket: ticket });
  assert.equal(pending.status, 201, JSON.stringify(pending.body));
  const code = codeAt(text(pending, 'secret'), service.clock.seconds());
  const body = { authenticatorId: text(pending, 'authenticatorId'), code };
  assert.equal((await client.post('/v1/totp/confirm', body, access.getJwtToken())).status, 200);
  assert.equal((await storedFactor(service, person)).reset, undefined);
});

test('if configured, a password newer than the stop works instead, in the API and in Cognito', async () => {
  const other = await serviceForTests({ ...unthrottled, afterReset: 'new_password' });
  const app = clientOf(other);
  const { person } = await enrolledPerson(other, app);
  const reset = await administratorOf(other).reset(person.sub);
  assert.deepEqual(
    [reset.body['enrollmentNeeds'], reset.body['enrollmentTicket']],
    ['new_password', undefined],
  );
  const { username, password: old } = person;
  assertProblem(await app.post('/v1/auth/login', { username, password: old }), 403, 'new_password_required');
  await assert.rejects(password(other, person), { name: 'NotAuthorizedException' });

  other.clock.advance(2);
  const cognito = cognitoOf(other);
  const { clientId: ClientId } = other.local.cognito;
  const Password = 'Another-horse-8-long';
  await cognito.send(new ForgotPasswordCommand({ ClientId, Username: username }));
  const ConfirmationCode = mailedCode(other, person);
  await cognito.send(
    new ConfirmForgotPasswordCommand({ ClientId, Username: username, ConfirmationCode, Password }),
  );
  cognito.destroy();
  const owner = { ...person, password: Password };
  other.clock.advance(3);
  assert.equal((await passwordSession(other, owner)).claims.access['enrollment_required'], 'true');
  assert.ok((await signIn(app, owner)).access);
  await enrollPerson(other, app, owner);
});
