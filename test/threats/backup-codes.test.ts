// Attacks with backup codes: reusing one, using somebody else's or an old one, and omitting the password.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Answer, assertProblem, challengeFor, clientOf, text } from '../support/client.ts';
import { unthrottled } from '../support/plans.ts';
import { serviceForTests } from '../support/service.ts';
import { storedFactor, storedRecord } from '../support/stored.ts';
import { backupCodeWays, enrolledPerson, personWithWays } from '../support/ways.ts';

const service = await serviceForTests(unthrottled);
const client = clientOf(service);
const verify = (challengeToken: string, proof: Record<string, string>) =>
  client.post('/v1/auth/verify', { challengeToken, ...proof });
const codesLeft = async (person: { sub: string }) =>
  (await storedFactor(service, person)).backupCodes?.digests.length;
const statuses = (answers: Answer[]) => answers.map(({ status }) => status).sort();

test('a backup code works once over all endpoints', async () => {
  for (const first of backupCodeWays) {
    const { person, ways, backupCodes } = await personWithWays(service, client);
    const proof = { backupCode: backupCodes[0] ?? '' };
    const accepted = await ways[first](proof);
    assert.ok(accepted.status < 300, `${first}: ${accepted.status}`);
    assert.equal(await codesLeft(person), 9);
    for (const other of backupCodeWays.filter((way) => way !== first)) {
      assertProblem(await ways[other](proof), 401, 'code_rejected');
    }
    const { failures, backupFailures, backupCodes: stored } = await storedFactor(service, person);
    assert.deepEqual([failures, backupFailures, stored?.digests.length], [0, 3, 9]);
  }
});

test('exactly one of thirty concurrent uses of a backup code succeeds', async () => {
  const { person, access, backupCodes } = await enrolledPerson(service, client);
  const challenges = [];
  for (let count = 0; count < 15; count++) challenges.push(await challengeFor(client, person));
  const proof = { backupCode: backupCodes[0] ?? '' };
  const answers = await Promise.all(
    challenges.flatMap((challenge) => [
      verify(challenge, proof),
      client.post('/v1/authenticators/verify', proof, access),
    ]),
  );
  assert.equal(statuses(answers).filter((status) => status === 200).length, 1, statuses(answers).join());
  assert.ok(
    statuses(answers).every((status) => [200, 401, 429].includes(status)),
    statuses(answers).join(),
  );
  assert.equal(await codesLeft(person), 9);
});

test('ten backup codes used at once each count at most once, and none is lost unused', async () => {
  const { person, access, backupCodes } = await enrolledPerson(service, client);
  const answers = await Promise.all(
    backupCodes.map((backupCode) => client.post('/v1/authenticators/verify', { backupCode }, access)),
  );
  const accepted = answers.flatMap(({ status }, index) => (status === 200 ? [index] : []));
  assert.ok(accepted.length >= 1, statuses(answers).join());
  assert.equal(await codesLeft(person), 10 - accepted.length);
  const unused = backupCodes.find((_, index) => !accepted.includes(index));
  if (unused) {
    assert.equal(
      (await client.post('/v1/authenticators/verify', { backupCode: unused }, access)).status,
      200,
    );
  }
});

test("another user's backup code is refused and stays valid for its owner", async () => {
  const [ours, theirs] = [await enrolledPerson(service, client), await enrolledPerson(service, client)];
  const proof = { backupCode: theirs.backupCodes[0] ?? '' };
  const before = await storedRecord(service, theirs.person);
  assertProblem(await verify(await challengeFor(client, ours.person), proof), 401, 'code_rejected');
  assert.deepEqual(await storedRecord(service, theirs.person), before);
  const { failures, backupFailures, backupCodes } = await storedFactor(service, ours.person);
  assert.deepEqual([failures, backupFailures, backupCodes?.digests.length], [0, 1, 10]);
  assert.equal((await verify(await challengeFor(client, theirs.person), proof)).status, 200);
});

test('a rotation voids every older backup code', async () => {
  const { person, ways, backupCodes, code } = await personWithWays(service, client);
  const before = await storedFactor(service, person);
  const rotated = await ways['rotate-backup-codes']({ code: code() });
  assert.equal(rotated.status, 200);
  const { backupCodes: stored, generation } = await storedFactor(service, person);
  assert.notEqual(stored?.set, before.backupCodes?.set);
  assert.notEqual(generation, before.generation);
  for (const backupCode of backupCodes) {
    assertProblem(await ways['verify-login']({ backupCode }), 401, 'code_rejected');
    // Waits out any lock.
    service.clock.advance(901);
  }
  const [fresh = ''] = rotated.body['backupCodes'] as string[];
  assert.equal((await ways['verify-login']({ backupCode: fresh })).status, 200);
  assert.equal(await codesLeft(person), 9);
});

test('if a rotation races a use, the code counts before the rotation or is void, never both', async () => {
  for (let round = 0; round < 6; round++) {
    const { person, ways, backupCodes, code, access } = await personWithWays(service, client);
    const bearer = access();
    const backupCode = backupCodes[0] ?? '';
    const use = () => client.post('/v1/authenticators/verify', { backupCode }, bearer);
    const rotate = () => client.post('/v1/backup-codes/rotate', { code: code() }, bearer);
    const [used, rotated] =
      round % 2 ? await Promise.all([use(), rotate()]) : (await Promise.all([rotate(), use()])).reverse();
    assert.ok(used && rotated);
    const outcome = statuses([used, rotated]);
    assert.ok(outcome[0] === 200 && [200, 401].includes(outcome[1] ?? 0), outcome.join());
    assertProblem(await ways['verify-login']({ backupCode }), 401, 'code_rejected');
    const left = await codesLeft(person);
    if (rotated.status === 200) {
      const [fresh = ''] = rotated.body['backupCodes'] as string[];
      assert.equal(left, 10);
      assert.equal((await ways['verify-login']({ backupCode: fresh })).status, 200);
    } else {
      assert.equal(left, 9);
      assert.equal((await ways['verify-login']({ backupCode: backupCodes[1] ?? '' })).status, 200);
    }
  }
});

test('a backup code without the password signs nobody in', async () => {
  const { person, access, backupCodes } = await enrolledPerson(service, client);
  const backupCode = backupCodes[0] ?? '';
  const before = await storedRecord(service, person);
  const verifyWith = (body: Record<string, unknown>) => client.post('/v1/auth/verify', body);
  assertProblem(await verifyWith({ backupCode }), 400, 'invalid_request');
  assertProblem(await verifyWith({ username: person.username, backupCode }), 400, 'invalid_request');
  for (const challengeToken of [person.sub, person.username, access]) {
    assertProblem(await verifyWith({ challengeToken, backupCode }), 401, 'challenge_invalid');
  }
  for (const password of [backupCode, '']) {
    const login = await client.post('/v1/auth/login', { username: person.username, password });
    assert.equal(login.body['accessToken'], undefined);
    assert.ok([400, 401].includes(login.status));
  }
  assertProblem(await client.post('/v1/authenticators/verify', { backupCode }), 401, 'token_invalid');
  assertProblem(
    await client.post('/v1/authenticators/disable', { backupCode }, backupCode),
    401,
    'token_invalid',
  );
  assert.deepEqual(await storedRecord(service, person), before);
});

test('both or neither of code and backupCode is a 400 and spends no attempt', async () => {
  const { person, access, code, backupCodes } = await enrolledPerson(service, client);
  const challengeToken = await challengeFor(client, person);
  const before = await storedRecord(service, person);
  const both = { code: code(), backupCode: backupCodes[0] };
  for (const proof of [both, {}, { ...both, code: '000000' }]) {
    assertProblem(await client.post('/v1/auth/verify', { challengeToken, ...proof }), 400, 'invalid_request');
    for (const path of ['/v1/authenticators/verify', '/v1/authenticators/disable', '/v1/totp/enroll']) {
      assertProblem(await client.post(path, proof, access), 400, 'invalid_request');
    }
  }
  const rotation = await client.post('/v1/backup-codes/rotate', { backupCode: backupCodes[0] }, access);
  assertProblem(rotation, 400, 'invalid_request');
  assert.deepEqual(await storedRecord(service, person), before);
  assert.equal(
    text(await client.post('/v1/authenticators/verify', { code: code() }, access), 'method'),
    'totp',
  );
});
