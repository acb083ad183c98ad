// An attacker who reads every log and every response learns no secret.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { administratorOf } from '../support/administrator.ts';
import { challengeFor, clientOf, codeAt, signIn } from '../support/client.ts';
import { answer, challenged } from '../support/cognito-sign-in.ts';
import '../support/native-powers.ts';
import { during } from '../support/faults.ts';
import { createPerson } from '../support/people.ts';
import { unthrottled } from '../support/plans.ts';
import { serviceForTests } from '../support/service.ts';
import { authenticatorIn, storedRecord } from '../support/stored.ts';
import { overwrite } from '../support/table.ts';
import { personWithWays } from '../support/ways.ts';

const lines: string[] = [];
const service = await serviceForTests(unthrottled, { onLog: (_, line) => void lines.push(line) });
const { wiretap } = service;
const client = clientOf(service);

const verify = (challengeToken: string, proof: Record<string, string>) =>
  client.post('/v1/auth/verify', { challengeToken, ...proof });
const recordOf = async (person: { sub: string }) =>
  (await storedRecord(service, person)) ?? assert.fail('no record');

test('no log and no refusal contains a secret, code, password, token or key, on any path', async () => {
  lines.length = 0;
  const administrator = administratorOf(service, service.local.admin, client);
  const { person, ways, confirming, code, nextCode, wrongCode, backupCodes, access } = await personWithWays(
    service,
    client,
  );

  // Right, wrong, used, malformed, too large, locked.
  const spent = code();
  const { confirm, secret } = await confirming({ code: spent });
  await ways.verify({ code: spent });
  await confirm(codeAt(secret, service.clock.seconds()));
  await ways.verify({ backupCode: backupCodes[0] ?? '' });
  await ways['rotate-backup-codes']({ code: nextCode() });
  for (const malformed of [
    `{"code":"${code()}"`,
    `{"code":"${code()}","code2":"${code()}"}`,
    `"${code()}"`,
  ]) {
    await client.call('POST', '/v1/authenticators/verify', { body: malformed, bearer: access() });
    await client.call('POST', '/v1/auth/verify', {
      body: malformed,
      headers: { 'content-type': 'text/plain' },
    });
  }
  await client.post('/v1/auth/login', { username: person.username, password: 'Wrong-password-9' });
  await client.post('/v1/auth/login', { username: person.username, password: person.password, code: code() });
  await client.post('/v1/auth/verify', { challengeToken: `${access()}x`, code: code() });
  await client.post('/v1/auth/refresh', { refreshToken: access() });
  await client.post('/v1/authenticators/verify', { code: code() }, `${access()}x`);
  await client.call('GET', `/v1/authenticators?code=${code()}`, { bearer: access() });
  await client.get(`/v1/nowhere/${code()}`, access());
  await client.call('GET', '/v1/authenticators', { headers: { 'x-api-key': 'A-key-that-is-none-at-all' } });

  // Every fault at every dependency.
  for (const fault of ['error', 'throttle', 'lose-answer'] as const) {
    service.clock.advance(301);
    for (const operation of ['AdminInitiateAuth', 'RevokeToken', 'GetItem', 'UpdateItem', 'Decrypt']) {
      await during(service, fault, [operation], async () => {
        const login = await client.post('/v1/auth/login', {
          username: person.username,
          password: person.password,
        });
        await client.post('/v1/authenticators/verify', { code: code() }, access());
        const challengeToken = login.body['challengeToken'];
        if (typeof challengeToken === 'string') await verify(challengeToken, { code: nextCode() });
      });
    }
  }
  const other = await signIn(client, await createPerson(service));
  await client.post('/v1/auth/refresh', { refreshToken: other.refresh });
  await client.post('/v1/auth/refresh', { refreshToken: other.refresh });

  // A record that no operation writes causes a defect, not a refusal.
  const intact = await recordOf(person);
  const own = authenticatorIn(intact);
  const sealedElsewhere = (change: object) => ({ a: { L: [{ M: { ...own, ...change } }] } });
  const digests = { M: { ...intact['b']?.M, d: { BS: [Uint8Array.of(1, 2, 3)] } } };
  for (const broken of [
    { b: digests },
    sealedElsewhere({ b: { B: Uint8Array.of(1, 2, 3) } }),
    sealedElsewhere({ k: { S: 'gone' } }),
    sealedElsewhere({ t: { S: 'SHA9/six/never' } }),
  ]) {
    await overwrite(service, intact);
    const challenge = await challengeFor(client, person);
    await overwrite(service, { ...intact, ...broken });
    await verify(challenge, { code: code() });
    await verify(challenge, { backupCode: backupCodes[1] ?? '' });
  }
  await overwrite(service, intact);
  await administrator.status(person.sub);

  // Cognito's own sign-in: wrong, right, and while the record cannot be read.
  const atCognito = await challenged(service, person);
  for (const given of [wrongCode(), 'not a code at all', nextCode()]) {
    await answer(atCognito, given).catch(() => undefined);
  }
  const cutOff = await challenged(service, person);
  const given = nextCode();
  await during(service, 'error', ['GetItem'], () => answer(cutOff, given).catch(() => undefined));

  const challenge = await challengeFor(client, person);
  for (let failures = 0; failures < 6; failures++) await verify(challenge, { code: wrongCode() });
  await administrator.unlock(person.sub);
  await administrator.reset(person.sub);
  await administrator.status('nobody');

  assert.ok(
    lines.some((line) => line.includes('"level":"error"')),
    'a defect was logged',
  );
  assert.ok(lines.some((line) => line.includes('"code":"temporarily_unavailable"')));
  assert.ok(lines.length > 60, `${lines.length} lines`);
  for (const place of [
    'the log of verify-login',
    'the log of cognito/define-auth-challenge',
    'the log of cognito/create-auth-challenge',
    'the log of cognito/verify-auth-challenge-response',
    'the log of access',
    'the response to POST /v1/auth/verify',
    `the response to POST /v1/admin/users/${person.sub}/reset`,
    "Cognito's response to RespondToAuthChallenge",
    'the request to dynamodb: UpdateItem',
    'the request to kms: Decrypt',
  ]) {
    assert.ok(wiretap.places.has(place), place);
  }
  assert.deepEqual(await wiretap.leaks(service), []);

  // Planted leaks are found, so the search works.
  const leaked = code();
  wiretap.onLog('verify', `{"level":"error","error":"${leaked} is wrong"}`);
  const refused = { service: 'execute-api', status: 400, request: { headers: {}, body: '' } } as const;
  for (const body of [`{"detail":"not ${access()}"}`, `{"secret":"${secret}"}`]) {
    wiretap.onExchange({ ...refused, operation: 'POST /v1/totp/enroll', answer: { headers: {}, body } });
  }
  const heard = (await wiretap.leaks(service)).map((one) => one.split(':')[0]);
  assert.deepEqual(heard.toSorted(), [
    'a code in the log of verify',
    'a secret in the response to POST /v1/totp/enroll',
    'a token in the response to POST /v1/totp/enroll',
  ]);
});
