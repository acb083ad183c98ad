import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Answer,
  assertProblem,
  challengeFor,
  clientOf,
  codeAt,
  enrollPerson,
  type Person,
  text,
} from './support/client.ts';
import { itemSize } from './support/item-size.ts';
import { createPerson } from './support/people.ts';
import { serviceForTests } from './support/service.ts';
import { callsDuring, storedRecord } from './support/stored.ts';

const service = await serviceForTests();
const client = clientOf(service);

interface Situation {
  person: Person & { sub: string };
  access: string;
  code: () => string;
  wrongCode: () => string;
}

async function enrolled(): Promise<Situation> {
  const person = await createPerson(service);
  return { person, ...(await enrollPerson(service, client, person)) };
}

/** Every operation that takes a code: what it needs first, and the one request that is counted. */
const operations: Record<
  string,
  (situation: Situation) => Promise<{ code: () => string; request: (code: string) => Promise<Answer> }>
> = {
  'verify-login': async ({ person, code }) => {
    const challengeToken = await challengeFor(client, person);
    return { code, request: (code) => client.post('/v1/auth/verify', { challengeToken, code }) };
  },
  verify: async ({ access, code }) => ({
    code,
    request: (code) => client.post('/v1/authenticators/verify', { code }, access),
  }),
  enroll: async ({ access, code }) => ({
    code,
    request: (code) => client.post('/v1/totp/enroll', { code }, access),
  }),
  confirm: async ({ access, code }) => {
    const pending = await client.post('/v1/totp/enroll', { code: code() }, access);
    const authenticatorId = text(pending, 'authenticatorId');
    return {
      code: () => codeAt(text(pending, 'secret'), service.clock.seconds()),
      request: (code) => client.post('/v1/totp/confirm', { authenticatorId, code }, access),
    };
  },
  disable: async ({ access, code }) => ({
    code,
    request: (code) => client.post('/v1/authenticators/disable', { code }, access),
  }),
  'rotate-backup-codes': async ({ access, code }) => ({
    code,
    request: (code) => client.post('/v1/backup-codes/rotate', { code }, access),
  }),
};

const ONE_READ_ONE_WRITE = ['dynamodb:GetItem', 'dynamodb:UpdateItem'];

for (const [operation, prepare] of Object.entries(operations)) {
  test(`${operation}, warm: one read, one write and no KMS call, for a right code and for a wrong one`, async () => {
    // Warm: it has been through once, within the time for which keys are held.
    const { code: warmingCode, request: warm } = await prepare(await enrolled());
    assert.ok((await warm(warmingCode())).status < 300);

    const situation = await enrolled();
    const { code, request } = await prepare(situation);
    const answers: Answer[] = [];
    const wrong = await callsDuring(service, async () => answers.push(await request(situation.wrongCode())));
    const right = await callsDuring(service, async () => answers.push(await request(code())));
    const [refused, accepted] = answers;
    assert.equal(refused?.status, 401);
    assert.ok((accepted?.status ?? 500) < 300, JSON.stringify(accepted?.body));
    assert.deepEqual(wrong, ONE_READ_ONE_WRITE);
    assert.deepEqual(right, ONE_READ_ONE_WRITE);
  });
}

test('verify and verify-login, warm: a backup code, used or not, costs no more', async () => {
  const person = await createPerson(service);
  const { access, backupCodes } = await enrollPerson(service, client, person);
  // The key of backup codes is opened at the first use.
  const [first = '', second = '', third = '', fourth = ''] = backupCodes;
  const signInWith = async (backupCode: string) => {
    const challengeToken = await challengeFor(client, person);
    return () => client.post('/v1/auth/verify', { challengeToken, backupCode });
  };
  await client.post('/v1/authenticators/verify', { backupCode: first }, access);
  await (await signInWith(fourth))();
  for (const backupCode of [second, second]) {
    const stepUp = () => client.post('/v1/authenticators/verify', { backupCode }, access);
    assert.deepEqual(await callsDuring(service, stepUp), ONE_READ_ONE_WRITE);
  }
  for (const backupCode of [third, third]) {
    assert.deepEqual(await callsDuring(service, await signInWith(backupCode)), ONE_READ_ONE_WRITE);
  }
});

test('a locked user costs one read, and no write', async () => {
  const { access, code, wrongCode } = await enrolled();
  const attempt = (proof: string) => client.post('/v1/authenticators/verify', { code: proof }, access);
  for (let failures = 0; failures < 5; failures++) await attempt(wrongCode());
  const calls = await callsDuring(service, async () =>
    assertProblem(await attempt(code()), 429, 'too_many_attempts'),
  );
  assert.deepEqual(calls, ['dynamodb:GetItem']);
});

test('bad input and a bad token cost nothing at all', async () => {
  const { access, wrongCode } = await enrolled();
  const warm = await client.post('/v1/authenticators/verify', { code: wrongCode() }, access);
  assertProblem(warm, 401, 'code_rejected');
  const calls = await callsDuring(service, async () => {
    assertProblem(
      await client.post('/v1/authenticators/verify', { code: '12345' }, access),
      400,
      'invalid_request',
    );
    assertProblem(
      await client.post('/v1/authenticators/verify', { code: '123456' }, 'a.b.c'),
      401,
      'token_invalid',
    );
  });
  assert.deepEqual(calls, []);
});

test('three authenticators and ten backup codes are below 1 KB, with failures and a challenge just answered', async () => {
  const person = await createPerson(service);
  const enrolled = await enrollPerson(service, client, person);
  let { access } = enrolled;
  for (const name of ['Work phone', 'Tablet at home']) {
    const pending = await client.post('/v1/totp/enroll', { name, code: enrolled.code() }, access);
    const code = codeAt(text(pending, 'secret'), service.clock.seconds());
    const authenticatorId = text(pending, 'authenticatorId');
    access = text(await client.post('/v1/totp/confirm', { authenticatorId, code }, access), 'accessToken');
    service.clock.advance(30);
  }
  const challengeToken = await challengeFor(client, person);
  const signedIn = await client.post('/v1/auth/verify', { challengeToken, code: enrolled.code() });
  assert.equal(signedIn.status, 200);
  await client.post(
    '/v1/authenticators/verify',
    { code: enrolled.wrongCode() },
    text(signedIn, 'accessToken'),
  );

  const record = await storedRecord(service, person);
  assert.equal(record?.['a']?.L?.length, 3);
  assert.equal(record['b']?.M?.['d']?.BS?.length, 10);
  const size = itemSize(record);
  assert.ok(size < 1024, `${size} bytes`);
});
