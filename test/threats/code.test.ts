// Attacks with codes: using one again, elsewhere, at another time or in another form.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Answer,
  assertProblem,
  challengeFor,
  clientOf,
  codeAt,
  signIn,
  text,
} from '../support/client.ts';
import { createPerson } from '../support/people.ts';
import { unthrottled } from '../support/plans.ts';
import { serviceForTests } from '../support/service.ts';
import { storedFactor, storedRecord } from '../support/stored.ts';
import { typedForms, wideBackupCode } from '../support/typed.ts';
import { enrolledPerson, nextStep, personWithWays, wayNames } from '../support/ways.ts';

const service = await serviceForTests(unthrottled);
const client = clientOf(service);
const stepNow = () => Math.floor(service.clock.seconds() / 30);
const verify = (challengeToken: string, code: string) =>
  client.post('/v1/auth/verify', { challengeToken, code });

test('a code is accepted once: neither its challenge nor a new one accepts it again', async () => {
  const { person, code } = await enrolledPerson(service, client);
  nextStep(service);
  const [step, used] = [stepNow(), code()];
  const first = await challengeFor(client, person);
  assert.equal((await verify(first, used)).status, 200);
  assertProblem(await verify(first, used), 401, 'challenge_invalid');
  assertProblem(await verify(await challengeFor(client, person), used), 401, 'code_rejected');
  const { authenticators, failures } = await storedFactor(service, person);
  assert.equal(authenticators[0]?.lastStep, step);
  assert.equal(failures, 1, 'the repeated code spends an attempt, the answered challenge does not');
});

test('once a code is accepted, no earlier code is accepted', async () => {
  const { person, secret, code } = await enrolledPerson(service, client);
  service.clock.advance(60);
  nextStep(service);
  const earlier = codeAt(secret, service.clock.seconds() - 30);
  const step = stepNow();
  assert.equal((await verify(await challengeFor(client, person), code())).status, 200);
  assertProblem(await verify(await challengeFor(client, person), earlier), 401, 'code_rejected');
  assert.equal((await storedFactor(service, person)).authenticators[0]?.lastStep, step);
});

test('the code that confirmed an enrollment does not sign in', async () => {
  const person = await createPerson(service);
  nextStep(service);
  const { access } = await signIn(client, person);
  const pending = await client.post('/v1/totp/enroll', { password: person.password }, access);
  const code = codeAt(text(pending, 'secret'), service.clock.seconds());
  const body = { authenticatorId: text(pending, 'authenticatorId'), code };
  assert.equal((await client.post('/v1/totp/confirm', body, access)).status, 200);
  assertProblem(await verify(await challengeFor(client, person), code), 401, 'code_rejected');
  const { authenticators, failures } = await storedFactor(service, person);
  assert.equal(authenticators[0]?.lastStep, stepNow());
  assert.equal(failures, 1);
});

test('one code is accepted once over all endpoints', async () => {
  for (const first of wayNames) {
    const { person, ways, code } = await personWithWays(service, client);
    const proof = { code: code() };
    const step = stepNow();
    const accepted = await ways[first](proof);
    assert.ok(accepted.status < 300, `${first}: ${accepted.status}`);
    for (const [charged, other] of wayNames.filter((way) => way !== first).entries()) {
      const { status, body } = await ways[other](proof);
      assert.deepEqual([first, other, status, body['code']], [first, other, 401, 'code_rejected']);
      assert.equal((await storedFactor(service, person)).failures, charged + 1);
    }
    const { authenticators } = await storedFactor(service, person);
    assert.equal(authenticators[0]?.lastStep, step, first);
  }
});

test('exactly one of thirty concurrent uses of a code succeeds', async () => {
  const { person, access, code } = await enrolledPerson(service, client);
  const challenges = [];
  for (let count = 0; count < 15; count++) challenges.push(await challengeFor(client, person));
  nextStep(service);
  const step = stepNow();
  const proof = { code: code() };
  const answers = await Promise.all(
    challenges.flatMap((challengeToken) => [
      client.post('/v1/auth/verify', { challengeToken, ...proof }),
      client.post('/v1/authenticators/verify', proof, access),
    ]),
  );
  const statuses = answers.map(({ status }) => status).sort();
  assert.equal(statuses.filter((status) => status === 200).length, 1, statuses.join());
  assert.ok(
    statuses.every((status) => [200, 401, 429].includes(status)),
    statuses.join(),
  );
  const { authenticators, answered } = await storedFactor(service, person);
  assert.equal(authenticators[0]?.lastStep, step);
  assert.ok(Object.keys(answered).length <= 1);
});

test('a code is accepted one step early or late, and refused two steps early or late', async () => {
  for (const [steps, status] of [
    [-2, 401],
    [2, 401],
    [-1, 200],
    [1, 200],
  ] as const) {
    const { person, secret } = await enrolledPerson(service, client);
    service.clock.advance(90);
    nextStep(service);
    const challenge = await challengeFor(client, person);
    const code = codeAt(secret, service.clock.seconds() + 30 * steps);
    assert.equal((await verify(challenge, code)).status, status, `${steps} steps`);
    const { authenticators, failures } = await storedFactor(service, person);
    assert.equal(failures, status === 200 ? 0 : 1);
    if (status === 200) assert.equal(authenticators[0]?.lastStep, stepNow() + steps);
  }
});

test('a malformed code is a 400, a code of one megabyte is a 413, and neither spends an attempt', async () => {
  const { person, access } = await enrolledPerson(service, client);
  const challengeToken = await challengeFor(client, person);
  const before = await storedRecord(service, person);
  const forms = [
    '12345',
    '1234567',
    '',
    'abcdef',
    '１２３４５',
    '123.456',
    `123456${' '.repeat(59)}`,
    123456,
    0.5,
    [],
    ['123456'],
    null,
    true,
    {},
  ];
  const attempts: ((code: unknown) => Promise<Answer>)[] = [
    (code) => client.post('/v1/auth/verify', { challengeToken, code }),
    (code) => client.post('/v1/authenticators/verify', { code }, access),
    (code) => client.post('/v1/totp/enroll', { code }, access),
    (code) => client.post('/v1/totp/confirm', { authenticatorId: 'abcdefghijklmnop', code }, access),
    (code) => client.post('/v1/authenticators/disable', { code }, access),
    (code) => client.post('/v1/backup-codes/rotate', { code }, access),
  ];
  for (const attempt of attempts) {
    for (const form of forms) assertProblem(await attempt(form), 400, 'invalid_request');
    assertProblem(await attempt('1'.repeat(1024 * 1024)), 413, 'body_too_large');
  }
  assert.deepEqual(await storedRecord(service, person), before);
});

test('a code typed with spaces, dashes or full-width digits is the same code', async () => {
  const { person, access, nextCode, backupCodes } = await enrolledPerson(service, client);
  for (const [form, typed] of Object.entries(typedForms)) {
    const answer = await verify(await challengeFor(client, person), typed(nextCode()));
    assert.equal(answer.status, 200, form);
  }
  const [first = '', second = ''] = backupCodes;
  for (const backupCode of [wideBackupCode(first), second.replaceAll('-', '\u2009')]) {
    assert.equal(
      (await client.post('/v1/authenticators/verify', { backupCode }, access)).status,
      200,
      backupCode,
    );
  }
  const { failures, backupCodes: left } = await storedFactor(service, person);
  assert.deepEqual([failures, left?.digests.length], [0, 8]);
});

test('a used code is refused however it is typed', async () => {
  for (const [form, typed] of Object.entries(typedForms)) {
    const { person, access, backupCodes, code } = await enrolledPerson(service, client);
    const used = code();
    const [backupCode = ''] = backupCodes;
    assert.equal((await verify(await challengeFor(client, person), used)).status, 200);
    assert.equal((await client.post('/v1/authenticators/verify', { backupCode }, access)).status, 200);
    assertProblem(await verify(await challengeFor(client, person), typed(used)), 401, 'code_rejected');
    for (const again of [wideBackupCode(backupCode), backupCode.replaceAll('-', '').toUpperCase()]) {
      const answer = await client.post('/v1/authenticators/verify', { backupCode: again }, access);
      assertProblem(answer, 401, 'code_rejected');
    }
    const { failures, backupFailures, backupCodes: left } = await storedFactor(service, person);
    assert.deepEqual([form, failures, backupFailures, left?.digests.length], [form, 1, 2, 9]);
  }
});

test('the client cannot set the time', async () => {
  const { person, access, code } = await enrolledPerson(service, client);
  const old = code();
  const then = service.clock.seconds();
  service.clock.advance(120);
  const before = await storedRecord(service, person);
  for (const name of ['now', 'time', 'timestamp', 'currentDate', 'step']) {
    const answer = await client.post('/v1/authenticators/verify', { code: old, [name]: then }, access);
    assertProblem(answer, 400, 'invalid_request');
  }
  assert.deepEqual(await storedRecord(service, person), before);
  const date = new Date(then * 1000);
  const answer = await client.call('POST', `/v1/authenticators/verify?now=${then}&timestamp=${then}`, {
    body: { code: old },
    bearer: access,
    headers: {
      date: date.toUTCString(),
      'x-amz-date': date.toISOString().replace(/[-:]|\.\d+/g, ''),
      'x-timestamp': String(then),
    },
  });
  assertProblem(answer, 401, 'code_rejected');
  assert.equal((await storedFactor(service, person)).failures, 1);
});
