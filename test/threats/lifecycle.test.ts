// An attacker with a session or a password tries to add, replace, remove or avoid the second factor.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AdminSetUserPasswordCommand,
  ConfirmForgotPasswordCommand,
  ForgotPasswordCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { base32nopad } from '@scure/base';
import { administratorOf } from '../support/administrator.ts';
import {
  type Answer,
  assertProblem,
  challengeFor,
  clientOf,
  codeAt,
  enrollPerson,
  signIn,
  text,
} from '../support/client.ts';
import { mailedCode } from '../support/cognito-sign-in.ts';
import { cognitoOf, createPerson } from '../support/people.ts';
import { unthrottled } from '../support/plans.ts';
import { serviceForTests } from '../support/service.ts';
import { callsDuring, storedFactor, storedRecord } from '../support/stored.ts';
import { enrolledPerson, nextStep, personWithWays } from '../support/ways.ts';

const service = await serviceForTests(unthrottled);
const client = clientOf(service);
const now = () => service.clock.seconds();
const logIn = (username: string, password: string) => client.post('/v1/auth/login', { username, password });
const verify = (challengeToken: string, proof: Record<string, string>) =>
  client.post('/v1/auth/verify', { challengeToken, ...proof });

test('enrolling again keeps the old authenticator in force until the new one is confirmed', async () => {
  const { person, code, nextCode, access } = await enrolledPerson(service, client);
  const before = await storedFactor(service, person);
  const pending = await client.post('/v1/totp/enroll', { name: 'New', code: code() }, access);
  assert.equal(pending.status, 201);
  const newCode = () => codeAt(text(pending, 'secret'), now());

  // Until it is confirmed, its codes do not sign in and the old ones do.
  // A wrong code at confirming changes nothing.
  service.clock.advance(30);
  assertProblem(await verify(await challengeFor(client, person), { code: newCode() }), 401, 'code_rejected');
  const authenticatorId = text(pending, 'authenticatorId');
  const wrong = await client.post('/v1/totp/confirm', { authenticatorId, code: nextCode() }, access);
  assertProblem(wrong, 401, 'code_rejected');
  assert.equal((await verify(await challengeFor(client, person), { code: nextCode() })).status, 200);
  const between = await storedFactor(service, person);
  assert.deepEqual(
    between.authenticators.map(({ id, secret }) => [id, secret]),
    before.authenticators.map(({ id, secret }) => [id, secret]),
  );
  assert.deepEqual(between.backupCodes, before.backupCodes);

  nextStep(service);
  const body = { authenticatorId, code: newCode() };
  assert.equal((await client.post('/v1/totp/confirm', body, access)).status, 200);
  assert.equal((await storedFactor(service, person)).authenticators.length, 2);
});

test('a session alone cannot add, remove or rotate anything, however fresh and however proved', async () => {
  const { person, code } = await enrolledPerson(service, client);
  const proved = await verify(await challengeFor(client, person), { code: code() });
  const access = text(proved, 'accessToken');
  const { authenticators } = await storedFactor(service, person);
  const before = await storedRecord(service, person);
  const [{ id = '' } = {}] = authenticators;
  for (const [path, body] of [
    ['/v1/totp/enroll', {}],
    ['/v1/totp/enroll', { name: 'Mine' }],
    ['/v1/authenticators/disable', {}],
    ['/v1/authenticators/disable', { authenticatorId: id }],
    ['/v1/backup-codes/rotate', {}],
  ] as const) {
    assertProblem(await client.post(path, body, access), 400, 'invalid_request');
  }
  assert.deepEqual(await storedRecord(service, person), before);
});

test('a pending enrollment ends with its session: no later session can confirm it', async () => {
  const cuts: [string, (them: Awaited<ReturnType<typeof personWithWays>>) => Promise<Answer>][] = [
    ['an administrator revokes', ({ person }) => administratorOf(service).revokeSessions(person.sub)],
    ['the owner rotates', ({ ways, nextCode }) => ways['rotate-backup-codes']({ code: nextCode() })],
    ['the owner removes one', ({ ways, nextCode }) => ways.disable({ code: nextCode() })],
  ];
  for (const [what, cut] of cuts) {
    const them = await personWithWays(service, client);
    const { person, backupCodes, code, nextCode } = them;
    const [backupCode = ''] = backupCodes;
    const pending = await client.post('/v1/totp/enroll', { name: 'Intruder', backupCode }, them.access());
    assert.equal(pending.status, 201, what);
    assert.ok((await cut(them)).status < 300, what);

    // The owner signs in again with both factors. The intruder steals this session, but has no code.
    nextStep(service);
    const later = await verify(await challengeFor(client, person), { code: code() });
    const access = text(later, 'accessToken');
    const before = await storedRecord(service, person);
    const body = {
      authenticatorId: text(pending, 'authenticatorId'),
      code: codeAt(text(pending, 'secret'), now()),
    };
    assertProblem(await client.post('/v1/totp/confirm', body, access), 404, 'enrollment_not_found');
    assert.deepEqual(await storedRecord(service, person), before, what);
    assert.equal((await verify(await challengeFor(client, person), { code: nextCode() })).status, 200, what);
  }
});

test('adding the first authenticator requires a recent sign-in, and refreshing does not count as one', async () => {
  const person = await createPerson(service);
  const { refresh } = await signIn(client, person);
  service.clock.advance(601);
  const refreshed = await client.post('/v1/auth/refresh', { refreshToken: refresh });
  const answer = await client.post(
    '/v1/totp/enroll',
    { password: person.password },
    text(refreshed, 'accessToken'),
  );
  assertProblem(answer, 401, 'recent_sign_in_required');
  assert.equal(await storedRecord(service, person), undefined);
});

test('confirming refuses a secret from the client, and its codes are wrong', async () => {
  const person = await createPerson(service);
  const { access } = await signIn(client, person);
  const pending = await client.post('/v1/totp/enroll', { password: person.password }, access);
  const authenticatorId = text(pending, 'authenticatorId');
  const own = base32nopad.encode(Buffer.alloc(20, 7));
  const before = await storedRecord(service, person);
  for (const field of ['secret', 'otpauthUri', 'algorithm', 'digits', 'period', 'window']) {
    const body = { authenticatorId, code: codeAt(own, now()), [field]: own };
    assertProblem(await client.post('/v1/totp/confirm', body, access), 400, 'invalid_request');
  }
  assertProblem(await client.post('/v1/totp/enroll', { secret: own }, access), 400, 'invalid_request');
  assert.deepEqual(await storedRecord(service, person), before);
  const theirs = { authenticatorId, code: codeAt(own, now()) };
  assertProblem(await client.post('/v1/totp/confirm', theirs, access), 401, 'code_rejected');
  const { authenticators, failures, pending: waiting } = await storedFactor(service, person);
  assert.deepEqual([authenticators.length, failures, waiting?.failures], [0, 0, 1]);
});

test('exactly one of two concurrent enrollments takes effect, completely', async () => {
  for (let round = 0; round < 4; round++) {
    const person = await createPerson(service);
    const { access } = await signIn(client, person);
    const before = service.calls.length;
    const answers = await Promise.all(
      [1, 2].map(() => client.post('/v1/totp/enroll', { password: person.password }, access)),
    );
    const written = service.calls
      .slice(before)
      .filter(({ operation, status }) => operation === 'UpdateItem' && status === 200);
    const begun = answers.filter(({ status }) => status === 201);
    assert.equal(begun.length, written.length, 'a secret is shown only if it was stored');
    const { pending, authenticators } = await storedFactor(service, person);
    assert.equal(authenticators.length, 0);
    const confirmed = [];
    for (const answer of answers) {
      if (answer.status !== 201) {
        assertProblem(answer, 409, 'conflict');
        continue;
      }
      const authenticatorId = text(answer, 'authenticatorId');
      const body = { authenticatorId, code: codeAt(text(answer, 'secret'), now()) };
      const confirmation = await client.post('/v1/totp/confirm', body, access);
      if (confirmation.status === 200) confirmed.push(authenticatorId);
    }
    assert.deepEqual(confirmed, [pending?.id]);
    const after = await storedFactor(service, person);
    assert.deepEqual(
      [after.authenticators.map(({ id }) => id), after.pending, after.backupCodes?.digests.length],
      [confirmed, undefined, 10],
    );
  }
});

test('exactly one of two concurrent confirmations takes effect, completely', async () => {
  for (let round = 0; round < 4; round++) {
    const person = await createPerson(service);
    const { access } = await signIn(client, person);
    const pending = await client.post('/v1/totp/enroll', { password: person.password }, access);
    const authenticatorId = text(pending, 'authenticatorId');
    const body = { authenticatorId, code: codeAt(text(pending, 'secret'), now()) };
    const answers = await Promise.all([1, 2].map(() => client.post('/v1/totp/confirm', body, access)));
    const [won, ...more] = answers.filter(({ status }) => status === 200);
    assert.ok(won && more.length === 0, answers.map(({ status }) => status).join());
    const { authenticators, pending: left, backupCodes } = await storedFactor(service, person);
    assert.deepEqual(
      [authenticators.map(({ id }) => id), left, backupCodes?.digests.length],
      [[authenticatorId], undefined, 10],
    );
    const [backupCode = ''] = won.body['backupCodes'] as string[];
    const used = await verify(await challengeFor(client, person), { backupCode });
    assert.equal(used.status, 200, 'the codes shown are the codes stored');
  }
});

test('an abandoned enrollment locks nobody out, expires and leaves no trace in the status', async () => {
  const person = await createPerson(service);
  const { access } = await signIn(client, person);
  const pending = await client.post('/v1/totp/enroll', { password: person.password }, access);
  const nothing = { enabled: false, authenticators: [], backupCodesRemaining: 0 };
  assert.deepEqual((await client.get('/v1/authenticators', access)).body, nothing);

  const again = await signIn(client, person);
  service.clock.advance(600);
  const late = await signIn(client, person);
  const body = {
    authenticatorId: text(pending, 'authenticatorId'),
    code: codeAt(text(pending, 'secret'), now()),
  };
  assertProblem(await client.post('/v1/totp/confirm', body, late.access), 404, 'enrollment_not_found');
  assert.deepEqual((await client.get('/v1/authenticators', late.access)).body, nothing);
  const { authenticators, failures, generation } = await storedFactor(service, person);
  assert.deepEqual([authenticators, failures, generation], [[], 0, '']);
  assert.notEqual(again.access, late.access);
  assert.ok(
    (await enrollPerson(service, client, person)).backupCodes.length === 10,
    'a new enrollment can begin',
  );
});

test('an abandoned enrollment of a further authenticator changes nothing for the existing ones', async () => {
  const { person, ways, confirming, code } = await personWithWays(service, client);
  const before = await storedFactor(service, person);
  const { confirm, secret } = await confirming({ code: code() });
  service.clock.advance(601);
  assert.equal((await ways['verify-login']({ code: code() })).status, 200);
  assertProblem(await confirm(codeAt(secret, now())), 404, 'enrollment_not_found');
  const after = await storedFactor(service, person);
  assert.equal(after.generation, before.generation);
  assert.deepEqual(
    after.authenticators.map(({ id }) => id),
    before.authenticators.map(({ id }) => id),
  );
});

test('after a password reset the second factor is still required', async () => {
  const { person, nextCode, wrongCode } = await enrolledPerson(service, client);
  const cognito = cognitoOf(service);
  const { userPoolId, clientId } = service.local.cognito;
  const resets = {
    'by an administrator': async (password: string) => {
      await cognito.send(
        new AdminSetUserPasswordCommand({
          UserPoolId: userPoolId,
          Username: person.username,
          Password: password,
          Permanent: true,
        }),
      );
    },
    'by a mailed code': async (password: string) => {
      await cognito.send(new ForgotPasswordCommand({ ClientId: clientId, Username: person.username }));
      await cognito.send(
        new ConfirmForgotPasswordCommand({
          ClientId: clientId,
          Username: person.username,
          ConfirmationCode: mailedCode(service, person),
          Password: password,
        }),
      );
    },
  };
  const { authenticators, backupCodes } = await storedFactor(service, person);
  for (const [how, reset] of Object.entries(resets)) {
    const password = `New-password-${how.length}`;
    await reset(password);
    // The event about the new password voids earlier challenges.
    await service.eventsDelivered();
    assertProblem(await logIn(person.username, person.password), 401, 'invalid_credentials');
    const login = await logIn(person.username, password);
    assert.equal(login.body['status'], 'challenge', how);
    assert.equal(login.body['accessToken'], undefined);
    const stored = await storedFactor(service, person);
    assert.deepEqual(
      stored.authenticators.map(({ secret }) => secret),
      authenticators.map(({ secret }) => secret),
    );
    assert.deepEqual(stored.backupCodes, backupCodes);
    const challenge = text(login, 'challengeToken');
    assertProblem(await verify(challenge, { code: wrongCode() }), 401, 'code_rejected');
    assert.equal((await verify(challenge, { code: nextCode() })).status, 200, how);
  }
  cognito.destroy();
});

test('an unknown user and a wrong password get the same response after the same work', async () => {
  const people = [await createPerson(service), (await enrolledPerson(service, client)).person];
  const names = [...people.map(({ username }) => username), 'nobody-of-this-name', 'nobody@example.com'];
  const records = () => Promise.all(people.map((person) => storedRecord(service, person)));
  const before = await records();
  const attempts = [];
  for (const username of names) {
    let answer: Answer | undefined;
    const calls = await callsDuring(service, async () => {
      answer = await logIn(username, 'Wrong-password-1');
    });
    const { status, headers, body } = answer ?? assert.fail();
    attempts.push({ status, headers: [...headers.keys()].sort(), body: { ...body, requestId: '' }, calls });
  }
  const [first = assert.fail(), ...others] = attempts;
  assert.equal(first.status, 401);
  assert.deepEqual(first.calls, ['cognito-idp:AdminInitiateAuth'], 'neither the record nor a key is read');
  for (const other of others) assert.deepEqual(other, first);
  assert.deepEqual(await records(), before, 'a wrong password counts no failure');
});
