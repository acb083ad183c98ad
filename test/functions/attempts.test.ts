// Over all operations that take a code: one budget, one lock, one memory of what was used.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { administratorOf } from '../support/administrator.ts';
import {
  type Answer,
  assertPrivate,
  assertProblem,
  challengeFor,
  clientOf,
  codeAt,
  enrollPerson,
  signIn,
  text,
} from '../support/client.ts';
import { createPerson } from '../support/people.ts';
import { serviceForTests } from '../support/service.ts';
import { storedRecord } from '../support/stored.ts';

const service = await serviceForTests();
const client = clientOf(service);

/** Somebody with a second factor, another authenticator waiting, and every way to try a code. */
async function tryable() {
  const person = await createPerson(service);
  const enrolled = await enrollPerson(service, client, person);
  const { access } = enrolled;
  const pending = await client.post('/v1/totp/enroll', { code: enrolled.code() }, access);
  service.clock.advance(30);
  const authenticatorId = text(pending, 'authenticatorId');
  const ways: Record<string, (code: string) => Promise<Answer>> = {
    'signing in': async (code) =>
      client.post('/v1/auth/verify', { challengeToken: await challengeFor(client, person), code }),
    'step-up': (code) => client.post('/v1/totp/verify', { code }, access),
    enrolling: (code) => client.post('/v1/totp/enroll', { code }, access),
    confirming: (code) => client.post('/v1/totp/confirm', { authenticatorId, code }, access),
    disabling: (code) => client.post('/v1/totp/disable', { code }, access),
    'new backup codes': (code) => client.post('/v1/backup-codes/rotate', { code }, access),
  };
  return { person, ...enrolled, ways, pendingSecret: text(pending, 'secret') };
}

const failuresOf = async (person: { sub: string }) =>
  Number((await storedRecord(service, person))?.['f']?.N ?? 0);

test('wrong codes are counted over all operations, and the fifth locks all of them', async () => {
  const { person, ways, wrongCode, code, backupCodes, access, pendingSecret } = await tryable();
  const tries = Object.entries(ways);
  for (const [index, [way, attempt]] of tries.slice(0, 5).entries()) {
    assertProblem(await attempt(wrongCode()), 401, 'code_rejected');
    assert.equal(await failuresOf(person), index + 1, way);
  }
  const before = await storedRecord(service, person);
  for (const [way, attempt] of tries) {
    for (const proof of [wrongCode(), code(), codeAt(pendingSecret, service.clock.seconds())]) {
      const answer = await attempt(proof);
      assertProblem(answer, 429, 'too_many_attempts');
      const wait = Number(answer.headers.get('retry-after'));
      assert.ok(wait > 20 && wait <= 30, `${way}: ${wait}`);
      assertPrivate(answer);
    }
  }
  const [backupCode = ''] = backupCodes;
  assertProblem(await client.post('/v1/totp/verify', { backupCode }, access), 429, 'too_many_attempts');
  assert.deepEqual(await storedRecord(service, person), before);
});

test('a locked user gets the same answer whatever the code', async () => {
  const { ways, wrongCode, code } = await tryable();
  const stepUp = ways['step-up'] ?? assert.fail();
  for (let failures = 0; failures < 5; failures++) await stepUp(wrongCode());
  const [wrong, right] = [await stepUp(wrongCode()), await stepUp(code())];
  assert.deepEqual({ ...wrong.body, requestId: '' }, { ...right.body, requestId: '' });
  assert.equal(wrong.status, right.status);
});

test('the lock opens after its time for one attempt, and doubles with each failure to at most 15 minutes', async () => {
  const { person, wrongCode, code } = await tryable();
  const attempt = async (proof: string) =>
    client.post('/v1/auth/verify', { challengeToken: await challengeFor(client, person), code: proof });
  for (let failures = 0; failures < 4; failures++) await attempt(wrongCode());
  for (const seconds of [30, 60, 120, 240, 480, 900, 900]) {
    assertProblem(await attempt(wrongCode()), 401, 'code_rejected');
    const locked = await attempt(code());
    assertProblem(locked, 429, 'too_many_attempts');
    const wait = Number(locked.headers.get('retry-after'));
    assert.ok(wait > seconds - 5 && wait <= seconds, `${wait} of ${seconds}`);
    service.clock.advance(seconds - 5);
    assertProblem(await attempt(code()), 429, 'too_many_attempts');
    service.clock.advance(5);
  }
  assert.equal((await attempt(code())).status, 200);
  assert.equal(await failuresOf(person), 0);
});

test('the password again clears no failure, and wrong passwords charge none', async () => {
  const { person, wrongCode } = await tryable();
  const attempt = async () =>
    client.post('/v1/auth/verify', { challengeToken: await challengeFor(client, person), code: wrongCode() });
  await attempt();
  await attempt();
  for (let tries = 0; tries < 3; tries++) {
    await client.post('/v1/auth/login', { username: person.username, password: 'Wrong-password-1' });
  }
  await challengeFor(client, person);
  assert.equal(await failuresOf(person), 2);
});

test('backup codes and codes share one budget', async () => {
  const { access, wrongCode, code } = await tryable();
  const guess = (proof: Record<string, string>) => client.post('/v1/totp/verify', proof, access);
  for (let failures = 0; failures < 2; failures++) {
    assertProblem(await guess({ code: wrongCode() }), 401, 'code_rejected');
    assertProblem(await guess({ backupCode: 'aaaa-bbbb-cccc-dddd' }), 401, 'code_rejected');
  }
  assertProblem(await guess({ backupCode: 'aaaa-bbbb-cccc-dddd' }), 401, 'code_rejected');
  assertProblem(await guess({ code: code() }), 429, 'too_many_attempts');
});

test('a success by a code or a backup code forgives the failures in a row', async () => {
  for (const by of ['code', 'backupCode']) {
    const { person, access, wrongCode, code, backupCodes } = await tryable();
    const guess = (proof: Record<string, string>) => client.post('/v1/totp/verify', proof, access);
    for (let failures = 0; failures < 4; failures++) await guess({ code: wrongCode() });
    const [backupCode = ''] = backupCodes;
    assert.equal((await guess(by === 'code' ? { code: code() } : { backupCode })).status, 200);
    assert.equal(await failuresOf(person), 0);
  }
});

test('a code used in any operation is used up for every other', async () => {
  for (const way of ['signing in', 'step-up', 'enrolling']) {
    const { person, ways, code } = await tryable();
    const used = code();
    const first = await (ways[way] ?? assert.fail())(used);
    assert.ok(first.status < 300, `${way}: ${first.status}`);
    for (const other of ['signing in', 'step-up', 'enrolling', 'disabling']) {
      assertProblem(await (ways[other] ?? assert.fail())(used), 401, 'code_rejected');
    }
    assert.equal(await failuresOf(person), 4, 'a used code is charged like a wrong one');
  }
});

test('rotating X-Forwarded-For buys no attempt', async () => {
  const { access, wrongCode } = await tryable();
  const guess = (from: number) =>
    client.call('POST', '/v1/totp/verify', {
      body: { code: wrongCode() },
      bearer: access,
      headers: { 'x-forwarded-for': `203.0.113.${from}` },
    });
  for (let failures = 0; failures < 5; failures++) assertProblem(await guess(failures), 401, 'code_rejected');
  assertProblem(await guess(99), 429, 'too_many_attempts');
});

test('an administrator opens a lock at once', async () => {
  const { person, access, wrongCode, code } = await tryable();
  for (let failures = 0; failures < 5; failures++) {
    await client.post('/v1/totp/verify', { code: wrongCode() }, access);
  }
  await administratorOf(service).unlock(person.sub);
  assert.equal((await client.post('/v1/totp/verify', { code: code() }, access)).status, 200);
});

test('while DynamoDB does not answer nobody is let in and nothing is charged', async () => {
  const { person, access, wrongCode, code } = await tryable();
  const before = await storedRecord(service, person);
  for (const operation of ['GetItem', 'UpdateItem']) {
    for (const proof of [code(), wrongCode()]) {
      service.setFault((call) => (call.operation === operation ? 'error' : undefined));
      const answer = await client.post('/v1/totp/verify', { code: proof }, access);
      service.setFault(undefined);
      assertProblem(answer, 503, 'temporarily_unavailable');
      assert.equal(answer.headers.get('retry-after'), '1');
    }
  }
  assert.deepEqual(await storedRecord(service, person), before);
  assert.equal((await client.post('/v1/totp/verify', { code: code() }, access)).status, 200);
});

test('an answer that is lost on its way from DynamoDB is given as written, once', async () => {
  const { person, access, wrongCode, code } = await tryable();
  const once = () => {
    let lost = false;
    service.setFault(({ operation }) => {
      if (operation !== 'UpdateItem' || lost) return undefined;
      lost = true;
      return 'lose-answer';
    });
  };
  once();
  assertProblem(await client.post('/v1/totp/verify', { code: wrongCode() }, access), 401, 'code_rejected');
  assert.equal(await failuresOf(person), 1);
  once();
  assert.equal((await client.post('/v1/totp/verify', { code: code() }, access)).status, 200);
  service.setFault(undefined);
  assert.equal(await failuresOf(person), 0);
  assertProblem(await client.post('/v1/totp/verify', { code: code() }, access), 401, 'code_rejected');
});

/** KMS answers so often, and then no more, until the fault is taken away. */
function afterDecrypts(answered: number): void {
  let asked = 0;
  service.setFault(({ operation }) => (operation === 'Decrypt' && ++asked > answered ? 'error' : undefined));
}

/** The keys that containers held until now are forgotten. */
const forgetKeys = () => service.clock.advance(301);

for (const way of ['code', 'backupCode'] as const) {
  test(`while KMS does not answer, no ${way} lets anybody in or is spent, whichever of the keys is missing`, async () => {
    for (const answered of [0, 1]) {
      const { person, code, backupCodes } = await tryable();
      forgetKeys();
      const challengeToken = await challengeFor(client, person);
      const before = await storedRecord(service, person);
      const proof = way === 'code' ? { code: code() } : { backupCode: backupCodes[0] };
      afterDecrypts(answered);
      const answer = await client.post('/v1/auth/verify', { challengeToken, ...proof });
      service.setFault(undefined);
      assertProblem(answer, 503, 'temporarily_unavailable');
      assert.equal(answer.headers.get('retry-after'), '1');
      assert.deepEqual(await storedRecord(service, person), before);
      assert.equal((await client.post('/v1/auth/verify', { challengeToken, ...proof })).status, 200);
    }
  });
}

test('a confirmation that cannot be answered is not made: no backup codes are lost', async () => {
  // It needs three keys: the secret's, the backup codes' and the one that signs.
  for (const answered of [0, 1, 2]) {
    const person = await createPerson(service);
    forgetKeys();
    const { access } = await signIn(client, person);
    const pending = await client.post('/v1/totp/enroll', {}, access);
    const code = codeAt(text(pending, 'secret'), service.clock.seconds());
    const body = { authenticatorId: text(pending, 'authenticatorId'), code };
    const before = await storedRecord(service, person);
    afterDecrypts(answered);
    const refused = await client.post('/v1/totp/confirm', body, access);
    service.setFault(undefined);
    assertProblem(refused, 503, 'temporarily_unavailable');
    assert.deepEqual(await storedRecord(service, person), before);
    const confirmed = await client.post('/v1/totp/confirm', body, access);
    assert.equal(confirmed.status, 200);
    assert.equal((confirmed.body['backupCodes'] as string[]).length, 10);
  }
});
