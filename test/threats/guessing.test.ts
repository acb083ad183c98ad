// An attacker with the password tries to get more guesses than the limit allows.
// An attacker without it tries to lock the owner out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { administratorOf } from '../support/administrator.ts';
import { assertProblem, challengeFor, clientOf, codeAt } from '../support/client.ts';
import { unthrottled } from '../support/plans.ts';
import { serviceForTests } from '../support/service.ts';
import { storedFactor, storedRecord } from '../support/stored.ts';
import { enrolledPerson, nextStep, personWithWays, wayNames } from '../support/ways.ts';

const service = await serviceForTests(unthrottled);
const client = clientOf(service);
const verify = (challengeToken: string, proof: Record<string, string>) =>
  client.post('/v1/auth/verify', { challengeToken, ...proof });

test('a new login for every guess gives no further guesses', async () => {
  const { person, code, wrongCode } = await enrolledPerson(service, client);
  for (let failures = 1; failures <= 5; failures++) {
    assertProblem(
      await verify(await challengeFor(client, person), { code: wrongCode() }),
      401,
      'code_rejected',
    );
    assert.equal((await storedFactor(service, person)).failures, failures);
  }
  const locked = await verify(await challengeFor(client, person), { code: code() });
  assertProblem(locked, 429, 'too_many_attempts');
  const { failures, lockedUntil } = await storedFactor(service, person);
  assert.equal(failures, 5);
  assert.ok(lockedUntil > service.clock.seconds());
});

test('hundreds of concurrent guesses on ten challenges get at most five attempts', async () => {
  const { person, code, wrongCode } = await enrolledPerson(service, client);
  const challenges = [];
  for (let count = 0; count < 10; count++) challenges.push(await challengeFor(client, person));
  nextStep(service);
  const [wrong, before] = [wrongCode(), service.calls.length];
  const answers = await Promise.all(
    challenges.flatMap((challenge) => Array.from({ length: 100 }, () => verify(challenge, { code: wrong }))),
  );
  for (const { status } of answers) assert.ok([401, 429].includes(status), `${status}`);
  const heard = service.calls
    .slice(before)
    .filter(({ operation, status }) => operation === 'UpdateItem' && status === 200);
  const { failures } = await storedFactor(service, person);
  assert.ok(failures >= 1 && failures <= 5, `${failures}`);
  assert.equal(heard.length, failures, 'each counted guess is one write');

  for (let more = failures; more < 5; more++) {
    await verify(await challengeFor(client, person), { code: wrong });
  }
  for (const lock of [30, 60]) {
    assertProblem(
      await verify(await challengeFor(client, person), { code: code() }),
      429,
      'too_many_attempts',
    );
    service.clock.advance(lock);
    const challenge = await challengeFor(client, person);
    const { failures: until } = await storedFactor(service, person);
    await Promise.all(Array.from({ length: 30 }, () => verify(challenge, { code: wrongCode() })));
    assert.equal(
      (await storedFactor(service, person)).failures,
      until + 1,
      'after a lock there is one attempt',
    );
  }
});

test('with one attempt left, a burst that includes the right code gets one attempt', async () => {
  const { person, code, wrongCode } = await enrolledPerson(service, client);
  const challenge = await challengeFor(client, person);
  nextStep(service);
  for (let failures = 0; failures < 4; failures++) await verify(challenge, { code: wrongCode() });
  const [right, wrong, before] = [code(), wrongCode(), service.calls.length];
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, index) => verify(challenge, { code: index % 20 === 10 ? right : wrong })),
  );
  const accepted = answers.filter(({ status }) => status === 200).length;
  const { failures } = await storedFactor(service, person);
  if (accepted === 0) {
    assert.equal(failures, 5);
    const writes = service.calls
      .slice(before)
      .filter(({ operation, status }) => operation === 'UpdateItem' && status === 200);
    assert.equal(writes.length, 1);
  } else assert.deepEqual([accepted, failures < 5], [1, true]);
});

test('entering the right password again clears no failures', async () => {
  const { person, code, wrongCode } = await enrolledPerson(service, client);
  const challenge = await challengeFor(client, person);
  for (let failures = 0; failures < 3; failures++) await verify(challenge, { code: wrongCode() });
  const before = await storedRecord(service, person);
  for (let logins = 0; logins < 3; logins++) await challengeFor(client, person);
  assert.deepEqual(await storedRecord(service, person), before);
  assert.equal((await verify(challenge, { code: code() })).status, 200);
  assert.equal((await storedFactor(service, person)).failures, 0, 'a right code clears them');
});

test('a guess is refused if its count cannot be written, whether it is right or wrong', async () => {
  const { person, code, wrongCode } = await enrolledPerson(service, client);
  const challenge = await challengeFor(client, person);
  const before = await storedRecord(service, person);
  for (const fault of ['error', 'throttle'] as const) {
    service.setFault(({ operation }) => (operation === 'UpdateItem' ? fault : undefined));
    const [wrong, right] = [
      await verify(challenge, { code: wrongCode() }),
      await verify(challenge, { code: code() }),
    ];
    service.setFault(undefined);
    assertProblem(wrong, 503, 'temporarily_unavailable');
    assertProblem(right, 503, 'temporarily_unavailable');
    assert.deepEqual({ ...right.body, requestId: '' }, { ...wrong.body, requestId: '' });
  }
  assert.deepEqual(await storedRecord(service, person), before);
  assert.equal((await verify(challenge, { code: code() })).status, 200);
});

test('changing addresses gives no further guesses', async () => {
  const { person, access, code, wrongCode } = await enrolledPerson(service, client);
  const guess = (address: string, proof: string) =>
    client.call('POST', '/v1/authenticators/verify', {
      body: { code: proof },
      bearer: access,
      headers: {
        'x-forwarded-for': address,
        forwarded: `for=${address}`,
        'x-real-ip': address,
        'cf-connecting-ip': address,
        'true-client-ip': address,
      },
    });
  for (let failures = 1; failures <= 5; failures++) {
    assertProblem(await guess(`203.0.113.${failures}`, wrongCode()), 401, 'code_rejected');
    assert.equal((await storedFactor(service, person)).failures, failures);
  }
  assertProblem(await guess('198.51.100.1', code()), 429, 'too_many_attempts');
});

test('guesses on all endpoints count against one budget', async () => {
  const { person, ways, code, wrongCode } = await personWithWays(service, client);
  const tries = wayNames.map((way) => () => ways[way]({ code: wrongCode() }));
  for (const [index, attempt] of tries.entries()) {
    assertProblem(await attempt(), 401, 'code_rejected');
    assert.equal((await storedFactor(service, person)).failures, index + 1);
  }
  const before = await storedRecord(service, person);
  for (const attempt of tries) assertProblem(await attempt(), 429, 'too_many_attempts');
  for (const way of wayNames) assertProblem(await ways[way]({ code: code() }), 429, 'too_many_attempts');
  assert.deepEqual(await storedRecord(service, person), before);
});

test('every single endpoint counts a wrong guess', async () => {
  for (const way of wayNames) {
    const { person, ways, wrongCode } = await personWithWays(service, client);
    assertProblem(await ways[way]({ code: wrongCode() }), 401, 'code_rejected');
    assert.equal((await storedFactor(service, person)).failures, 1, way);
  }
});

test('an enrollment survives four wrong codes and ends with the fifth, even in a burst', async () => {
  const { person, confirming, code, wrongCode } = await personWithWays(service, client);
  const { confirm } = await confirming({ code: code() });
  const guesses = await Promise.all(Array.from({ length: 30 }, () => confirm(wrongCode())));
  for (const { status } of guesses) assert.ok([401, 404].includes(status), `${status}`);
  const { failures, pending } = await storedFactor(service, person);
  assert.equal(failures, 0, 'these guesses are at another secret');
  for (let heard = pending?.failures ?? 5; heard < 5; heard++) {
    assertProblem(await confirm(wrongCode()), 401, 'code_rejected');
  }
  assert.equal((await storedFactor(service, person)).pending, undefined);
  assertProblem(await confirm(code()), 404, 'enrollment_not_found');
});

test('adding an authenticator clears no failures', async () => {
  const { person, confirming, code, ways, wrongCode } = await personWithWays(service, client);
  const { confirm, secret } = await confirming({ code: code() });
  for (let failures = 0; failures < 3; failures++) await ways.verify({ code: wrongCode() });
  assert.equal((await confirm(codeAt(secret, service.clock.seconds()))).status, 200);
  assert.equal((await storedFactor(service, person)).failures, 3);
});

test('a stranger without the password cannot lock the owner out', async () => {
  const { person, code, wrongCode } = await enrolledPerson(service, client);
  const stranger = await enrolledPerson(service, client);
  const before = await storedRecord(service, person);
  const theirs = await challengeFor(client, stranger.person);
  const [header = '', payload = '', signature = ''] = theirs.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
  const renamed = Buffer.from(
    JSON.stringify({ ...claims, sub: person.sub, username: person.username }),
  ).toString('base64url');
  // Four wrong passwords only, because Cognito's own lockout starts with the fifth.
  for (let tries = 0; tries < 4; tries++) {
    const login = await client.post('/v1/auth/login', {
      username: person.username,
      password: `Wrong-password-${tries}`,
    });
    assertProblem(login, 401, 'invalid_credentials');
    for (const challenge of [`${header}.${renamed}.${signature}`, `${header}.${renamed}.`, person.sub]) {
      assertProblem(await verify(challenge, { code: wrongCode() }), 401, 'challenge_invalid');
    }
    for (const bearer of [`${header}.${renamed}.${signature}`, person.sub, stranger.access.slice(0, -4)]) {
      assertProblem(
        await client.post('/v1/authenticators/verify', { code: wrongCode() }, bearer),
        401,
        'token_invalid',
      );
    }
  }
  assert.deepEqual(await storedRecord(service, person), before);
  assert.equal((await verify(await challengeFor(client, person), { code: code() })).status, 200);
});

test('a hundred failures in a row stop codes until support acts, despite waits between them', async () => {
  const { person, code, wrongCode } = await enrolledPerson(service, client);
  const attempt = async (proof: Record<string, string>) => verify(await challengeFor(client, person), proof);
  let failures = 0;
  const guess = async () => {
    assertProblem(await attempt({ code: wrongCode() }), 401, 'code_rejected');
    service.clock.advance(900);
    assert.equal((await storedFactor(service, person)).failures, ++failures);
  };
  while (failures < 6) await guess();
  while (failures < 100) await guess();
  const stopped = await storedRecord(service, person);
  const administrator = administratorOf(service);
  assertProblem(await attempt({ code: code() }), 403, 'factor_stopped');
  service.clock.advance(40 * 86_400);
  assertProblem(await attempt({ code: code() }), 403, 'factor_stopped');
  assertProblem(await administrator.unlock(person.sub), 403, 'new_password_required');
  assert.deepEqual(await storedRecord(service, person), stopped);

  assert.equal((await administrator.unlock(person.sub, { passwordChanged: true })).status, 200);
  assert.equal((await storedFactor(service, person)).failures, 0);
  assert.equal((await attempt({ code: code() })).status, 200);
});
