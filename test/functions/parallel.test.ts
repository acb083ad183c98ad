// A deployment of its own: usage plans that let a burst through, so that what refuses it is the record.
import assert from 'node:assert/strict';
import { test } from 'node:test';
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
import { createPerson } from '../support/people.ts';
import { unthrottled } from '../support/plans.ts';
import { serviceForTests } from '../support/service.ts';
import { storedRecord } from '../support/stored.ts';

const service = await serviceForTests(unthrottled);
const client = clientOf(service);
const THIRTY = Array.from({ length: 30 });

async function enrolled() {
  const person = await createPerson(service);
  return { person, ...(await enrollPerson(service, client, person)) };
}

const failuresOf = async (person: { sub: string }) =>
  Number((await storedRecord(service, person))?.['f']?.N ?? 0);
const succeeded = (answers: Answer[]) => answers.filter(({ status }) => status < 300);

/** Exactly one was let in; every other got a refusal, and none a fault. */
function assertOneSuccess(answers: Answer[]): Answer {
  const [success, ...more] = succeeded(answers);
  const statuses = answers.map(({ status }) => status).join();
  assert.ok(success && more.length === 0, statuses);
  for (const { status } of answers) assert.ok([200, 401, 429].includes(status), statuses);
  return success;
}

test('thirty parallel uses of one code on one challenge: exactly one success', async () => {
  const { person, code } = await enrolled();
  const body = { challengeToken: await challengeFor(client, person), code: code() };
  assertOneSuccess(await Promise.all(THIRTY.map(() => client.post('/v1/auth/verify', body))));
});

test('thirty parallel uses of one code on thirty challenges: exactly one success', async () => {
  const { person, code } = await enrolled();
  const challenges = await Promise.all(THIRTY.map(() => challengeFor(client, person)));
  const proof = { code: code() };
  assertOneSuccess(
    await Promise.all(
      challenges.map((challengeToken) => client.post('/v1/auth/verify', { challengeToken, ...proof })),
    ),
  );
});

test('thirty parallel uses of one code over all operations: exactly one success', async () => {
  const { person, access, code } = await enrolled();
  const challenges = await Promise.all(THIRTY.map(() => challengeFor(client, person)));
  const proof = { code: code() };
  const ways = [
    (challengeToken: string) => client.post('/v1/auth/verify', { challengeToken, ...proof }),
    () => client.post('/v1/totp/verify', proof, access),
    () => client.post('/v1/totp/disable', proof, access),
    () => client.post('/v1/backup-codes/rotate', proof, access),
  ];
  assertOneSuccess(
    await Promise.all(
      challenges.map((challenge, index) => (ways[index % ways.length] ?? assert.fail())(challenge)),
    ),
  );
});

test('thirty parallel uses of one backup code: exactly one success, and nine are left', async () => {
  const { access, backupCodes } = await enrolled();
  const [backupCode = ''] = backupCodes;
  const answers = await Promise.all(THIRTY.map(() => client.post('/v1/totp/verify', { backupCode }, access)));
  assertOneSuccess(answers);
  assert.equal((await client.get('/v1/totp', access)).body['backupCodesRemaining'], 9);
});

test('a burst of guesses learns no more than five codes, and after that one for each lock', async () => {
  const { person, access, wrongCode } = await enrolled();
  const burst = () => {
    const body = { code: wrongCode() };
    return Promise.all(THIRTY.map(() => client.post('/v1/totp/verify', body, access)));
  };
  for (const answer of await burst()) assert.ok([401, 429].includes(answer.status), `${answer.status}`);
  const charged = await failuresOf(person);
  assert.ok(charged >= 1 && charged <= 5, `${charged}`);
  for (let more = charged; more < 5; more++) {
    await client.post('/v1/totp/verify', { code: wrongCode() }, access);
  }
  for (let lock = 0; lock < 2; lock++) {
    const before = await failuresOf(person);
    service.clock.advance(30 * 2 ** lock);
    const answers = await burst();
    assert.deepEqual(succeeded(answers), []);
    assert.equal(await failuresOf(person), before + 1);
  }
});

test('a right code in a burst of guesses, with one attempt left: at most one is heard', async () => {
  const { person, access, wrongCode, code } = await enrolled();
  for (let failures = 0; failures < 4; failures++) {
    await client.post('/v1/totp/verify', { code: wrongCode() }, access);
  }
  const [wrong, right] = [wrongCode(), code()];
  const answers = await Promise.all(
    THIRTY.map((_, index) => client.post('/v1/totp/verify', { code: index === 15 ? right : wrong }, access)),
  );
  const failures = await failuresOf(person);
  if (succeeded(answers).length === 0) assert.equal(failures, 5);
  else assert.ok(failures < 5, `${failures}`);
});

test('a rotation racing the use of a backup code: used once before it, or dead, never both', async () => {
  const { access, backupCodes, code } = await enrolled();
  const [backupCode = ''] = backupCodes;
  const [used, rotated] = await Promise.all([
    client.post('/v1/totp/verify', { backupCode }, access),
    client.post('/v1/backup-codes/rotate', { code: code() }, access),
  ]);
  assert.equal(succeeded([used, rotated]).length, 1, `${used.status} ${rotated.status}`);
  const { access: now } = rotated.status === 200 ? { access: text(rotated, 'accessToken') } : { access };
  const again = await client.post('/v1/totp/verify', { backupCode }, now);
  assertProblem(again, 401, 'code_rejected');
});

test('enrolments at once: one wins whole, and only it can be confirmed', async () => {
  const person = await createPerson(service);
  const { access } = await signIn(client, person);
  const answers = await Promise.all(
    Array.from({ length: 6 }, () => client.post('/v1/totp/enroll', {}, access)),
  );
  for (const answer of answers) {
    if (answer.status !== 201) assertProblem(answer, 409, 'conflict');
  }
  const confirmed = [];
  for (const answer of answers.filter(({ status }) => status === 201)) {
    const code = codeAt(text(answer, 'secret'), service.clock.seconds());
    const body = { authenticatorId: text(answer, 'authenticatorId'), code };
    confirmed.push(await client.post('/v1/totp/confirm', body, access));
  }
  assert.equal(succeeded(confirmed).length, 1);
});

test('confirmations at once: one wins whole, with the backup codes that work', async () => {
  const person = await createPerson(service);
  const { access } = await signIn(client, person);
  const enrolled = await client.post('/v1/totp/enroll', {}, access);
  const body = {
    authenticatorId: text(enrolled, 'authenticatorId'),
    code: codeAt(text(enrolled, 'secret'), service.clock.seconds()),
  };
  const answers = await Promise.all(
    Array.from({ length: 6 }, () => client.post('/v1/totp/confirm', body, access)),
  );
  const success = assertOneSuccess(answers);
  const [backupCode = ''] = success.body['backupCodes'] as string[];
  const used = await client.post('/v1/totp/verify', { backupCode }, text(success, 'accessToken'));
  assert.equal(used.status, 200);
});
