import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeJwt } from 'jose';
import {
  assertFields,
  assertPrivate,
  assertProblem,
  challengeFor,
  clientOf,
  enrollPerson,
  SESSION,
  text,
} from '../support/client.ts';
import { createPerson } from '../support/people.ts';
import { serviceForTests } from '../support/service.ts';
import { storedRecord } from '../support/stored.ts';

const service = await serviceForTests();
const client = clientOf(service);
const verify = (challengeToken: string, proof: { code: string } | { backupCode: string }) =>
  client.post('/v1/auth/verify', { challengeToken, ...proof });

async function enrolled() {
  const person = await createPerson(service);
  return { person, ...(await enrollPerson(service, client, person)) };
}

test('a code answers the challenge, and the session says that it was proved', async () => {
  const { person, code } = await enrolled();
  const answer = await verify(await challengeFor(client, person), { code: code() });
  assertFields(answer, 200, [...SESSION, 'status', 'method']);
  assertPrivate(answer);
  assert.equal(answer.body['status'], 'authenticated');
  assert.equal(answer.body['method'], 'totp');
  const { amr, acr, sub } = decodeJwt(text(answer, 'accessToken'));
  assert.deepEqual(
    { amr, acr, sub },
    { amr: ['pwd', 'otp', 'mfa'], acr: 'urn:countersign:2fa', sub: person.sub },
  );
  assert.equal((await client.get('/v1/authenticators', text(answer, 'accessToken'))).status, 200);
});

test('a backup code answers the challenge once, with or without dashes, in either case', async () => {
  const { person, backupCodes } = await enrolled();
  const forms = [
    (code: string) => code,
    (code: string) => code.replaceAll('-', ''),
    (code: string) => code.toUpperCase(),
    (code: string) => code.replaceAll('-', '').toUpperCase(),
    (code: string) => ` ${code.replaceAll('-', ' ')}`,
  ];
  for (const [index, form] of forms.entries()) {
    const backupCode = form(backupCodes[index] ?? '');
    const answer = await verify(await challengeFor(client, person), { backupCode });
    assertFields(answer, 200, [...SESSION, 'status', 'method', 'backupCodesRemaining']);
    assert.equal(answer.body['method'], 'backup_code');
    assert.equal(answer.body['backupCodesRemaining'], 9 - index);
    const again = await verify(await challengeFor(client, person), { backupCode });
    assertProblem(again, 401, 'code_rejected');
  }
});

test('the last backup code works and leaves the authenticator unchanged', async () => {
  const { person, backupCodes, code } = await enrolled();
  for (const backupCode of backupCodes) {
    assert.equal((await verify(await challengeFor(client, person), { backupCode })).status, 200);
    service.clock.advance(1);
  }
  const [spent = ''] = backupCodes;
  assertProblem(
    await verify(await challengeFor(client, person), { backupCode: spent }),
    401,
    'code_rejected',
  );
  const answer = await verify(await challengeFor(client, person), { code: code() });
  assert.equal(answer.status, 200);
  const status = await client.get('/v1/authenticators', text(answer, 'accessToken'));
  assert.equal(status.body['backupCodesRemaining'], 0);
});

test('a wrong code and a used one get the same response', async () => {
  const { person, code, wrongCode } = await enrolled();
  const used = code();
  assert.equal((await verify(await challengeFor(client, person), { code: used })).status, 200);
  const [replayed, wrong] = [
    await verify(await challengeFor(client, person), { code: used }),
    await verify(await challengeFor(client, person), { code: wrongCode() }),
  ];
  assertProblem(wrong, 401, 'code_rejected');
  assert.deepEqual({ ...replayed.body, requestId: '' }, { ...wrong.body, requestId: '' });
});

test('a wrong code does not end the challenge', async () => {
  const { person, code, wrongCode } = await enrolled();
  const challengeToken = await challengeFor(client, person);
  assertProblem(await verify(challengeToken, { code: wrongCode() }), 401, 'code_rejected');
  assert.equal((await verify(challengeToken, { code: code() })).status, 200);
});

test('a challenge belongs to the client whose API key requested it, and another client spends no attempt', async () => {
  const { person, code } = await enrolled();
  const challengeToken = await challengeFor(client, person);
  const before = await storedRecord(service, person);
  const other = clientOf(service, service.local.limitedApiKey);
  const answer = await other.post('/v1/auth/verify', { challengeToken, code: code() });
  assertProblem(answer, 401, 'challenge_invalid');
  assert.deepEqual(await storedRecord(service, person), before);
  assert.equal((await verify(challengeToken, { code: code() })).status, 200);
});

test('a challenge expires after 120 seconds', async () => {
  const { person, code } = await enrolled();
  const challengeToken = await challengeFor(client, person);
  service.clock.advance(121);
  assertProblem(await verify(challengeToken, { code: code() }), 401, 'challenge_invalid');
});

test('no other token and no altered one counts as a challenge', async () => {
  const { person, access, refresh, code } = await enrolled();
  const challengeToken = await challengeFor(client, person);
  const [header = '', payload = '', signature = ''] = challengeToken.split('.');
  const swapped = signature.startsWith('A') ? 'B' : 'A';
  const unsigned = Buffer.from('{"alg":"none","typ":"countersign-challenge+jwt"}').toString('base64url');
  for (const token of [
    access,
    refresh,
    `${header}.${payload}.${swapped}${signature.slice(1)}`,
    `${unsigned}.${payload}.`,
    `${header}.${payload}.`,
    'nonsense',
  ]) {
    assertProblem(await verify(token, { code: code() }), 401, 'challenge_invalid');
  }
});
