// The lock and the effect of faults in all operations that take a code. Attacks on them are in test/threats.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { administratorOf } from '../support/administrator.ts';
import { assertProblem, challengeFor, clientOf, codeAt, signIn, text } from '../support/client.ts';
import { createPerson } from '../support/people.ts';
import { serviceForTests } from '../support/service.ts';
import { storedRecord } from '../support/stored.ts';
import { enrolledPerson } from '../support/ways.ts';

const service = await serviceForTests();
const client = clientOf(service);

const failuresOf = async (person: { sub: string }) =>
  Number((await storedRecord(service, person))?.['f']?.N ?? 0);

test('a locked user gets the same response whatever the code', async () => {
  const { access, wrongCode, code } = await enrolledPerson(service, client);
  const stepUp = (given: string) => client.post('/v1/authenticators/verify', { code: given }, access);
  for (let failures = 0; failures < 5; failures++) await stepUp(wrongCode());
  const [wrong, right] = [await stepUp(wrongCode()), await stepUp(code())];
  assert.deepEqual({ ...wrong.body, requestId: '' }, { ...right.body, requestId: '' });
  assert.equal(wrong.status, right.status);
});

test('the lock expires for one attempt, and doubles with each failure up to 15 minutes', async () => {
  const { person, wrongCode, code } = await enrolledPerson(service, client);
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

test('a success clears only the failures in a row of its own kind', async () => {
  for (const [by, left] of [
    ['code', 0],
    ['backupCode', 4],
  ] as const) {
    const { person, access, wrongCode, code, backupCodes } = await enrolledPerson(service, client);
    const guess = (proof: Record<string, string>) => client.post('/v1/authenticators/verify', proof, access);
    for (let failures = 0; failures < 4; failures++) await guess({ code: wrongCode() });
    const [backupCode = ''] = backupCodes;
    assert.equal((await guess(by === 'code' ? { code: code() } : { backupCode })).status, 200);
    assert.equal(await failuresOf(person), left);
  }
});

test('an administrator lifts a lock at once', async () => {
  const { person, access, wrongCode, code } = await enrolledPerson(service, client);
  for (let failures = 0; failures < 5; failures++) {
    await client.post('/v1/authenticators/verify', { code: wrongCode() }, access);
  }
  await administratorOf(service).unlock(person.sub);
  assert.equal((await client.post('/v1/authenticators/verify', { code: code() }, access)).status, 200);
});

/** Lets KMS answer this many Decrypt calls and fail all later ones, until the fault is removed. */
function afterDecrypts(answered: number): void {
  let asked = 0;
  service.setFault(({ operation }) => (operation === 'Decrypt' && ++asked > answered ? 'error' : undefined));
}

/** Expires the keys that containers have cached. */
const forgetKeys = () => service.clock.advance(301);

for (const way of ['code', 'backupCode'] as const) {
  test(`while KMS does not answer, no ${way} signs in or is spent, whichever key is missing`, async () => {
    for (const answered of [0, 1]) {
      const { person, code, backupCodes } = await enrolledPerson(service, client);
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

test('a confirmation that cannot be answered is not stored, so no backup codes are lost', async () => {
  // A confirmation needs three keys: for the secret, for the backup codes and for signing.
  for (const answered of [0, 1, 2]) {
    const person = await createPerson(service);
    forgetKeys();
    const { access } = await signIn(client, person);
    const pending = await client.post('/v1/totp/enroll', { password: person.password }, access);
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
