// What somebody tries who reads or writes the table, or reads the logs; and what is left when AWS fails.
import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { test } from 'node:test';
import { base32nopad } from '@scure/base';
import { withoutCode } from '../../core/backup-codes.ts';
import { open } from '../../core/sealed.ts';
import type { Fault } from '../../local/aws/types.ts';
import { administratorOf } from '../support/administrator.ts';
import {
  type Answer,
  assertProblem,
  challengeFor,
  clientOf,
  codeAt,
  signIn,
  text,
} from '../support/client.ts';
import { answer, challenged } from '../support/cognito-sign-in.ts';
import '../support/native-powers.ts';
import { unwrappedKeys } from '../support/operator-keys.ts';
import { createPerson } from '../support/people.ts';
import { unthrottled } from '../support/plans.ts';
import { serviceForTests } from '../support/service.ts';
import { storedFactor, storedRecord } from '../support/stored.ts';
import { contentsOf, overwrite, wholeTable } from '../support/table.ts';
import { enrolledPerson, nextStep, personWithWays, wayNames } from '../support/ways.ts';

const lines: string[] = [];
const service = await serviceForTests(unthrottled, { onLog: (_, line) => void lines.push(line) });
const { wiretap } = service;
const client = clientOf(service);

const verify = (challengeToken: string, proof: Record<string, string>) =>
  client.post('/v1/auth/verify', { challengeToken, ...proof });
const recordOf = async (person: { sub: string }) =>
  (await storedRecord(service, person)) ?? assert.fail('no record');
/** An authenticator of a record, as it is stored. */
const authenticatorIn = (record: Awaited<ReturnType<typeof recordOf>>, index = 0) =>
  record['a']?.L?.[index]?.M ?? assert.fail('no authenticator');

/** While `work` runs, every call of these operations meets this fault, but for the first few. */
async function during<T>(fault: Fault, operations: string[], work: () => Promise<T>, spared = 0): Promise<T> {
  let asked = 0;
  service.setFault(({ operation }) =>
    operations.includes(operation) && ++asked > spared ? fault : undefined,
  );
  try {
    return await work();
  } finally {
    service.setFault(undefined);
  }
}

function assertUnavailable(answer: Answer): void {
  assertProblem(answer, 503, 'temporarily_unavailable');
  assert.match(answer.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
}

test("another user's sealed secret does not open in one's own record: nobody is let in", async () => {
  const [victim, attacker] = [await enrolledPerson(service, client), await enrolledPerson(service, client)];
  const challenge = await challengeFor(client, victim.person);
  const [intact, foreign] = [await recordOf(victim.person), await recordOf(attacker.person)];
  const { b: box, k: keyId } = authenticatorIn(foreign);
  const own = authenticatorIn(intact);
  const replacements = {
    'the box alone': { ...own, ...(box && { b: box }), ...(keyId && { k: keyId }) },
    'the authenticator': authenticatorIn(foreign),
    'the box under our id': { ...authenticatorIn(foreign), ...(own['i'] && { i: own['i'] }) },
  };
  for (const [what, authenticator] of Object.entries(replacements)) {
    const forged = { ...intact, a: { L: [{ M: authenticator }] } };
    await overwrite(service, forged);
    for (const code of [attacker.code(), victim.code(), victim.wrongCode()]) {
      const answer = await verify(challenge, { code });
      assert.equal(answer.status, 503, what);
      assertUnavailable(answer);
    }
    assert.deepEqual(await storedRecord(service, victim.person), forged, `${what}: nothing is charged`);
  }
  const whole = { ...foreign, ...(intact['pk'] && { pk: intact['pk'] }) };
  await overwrite(service, whole);
  assertUnavailable(await verify(await challengeFor(client, victim.person), { code: attacker.code() }));
  const [stolen = ''] = attacker.backupCodes;
  const backup = await verify(await challengeFor(client, victim.person), { backupCode: stolen });
  assertProblem(backup, 401, 'code_rejected');

  await overwrite(service, intact);
  assert.equal((await verify(challenge, { code: victim.code() })).status, 200);
});

test('a sealed secret does not open in another field: a pending one put in force, a spare in the place of the first', async () => {
  const { person, confirming, code, nextCode } = await personWithWays(service, client);
  const { secret } = await confirming({ code: code() });
  const intact = await recordOf(person);
  const [first, spare] = [authenticatorIn(intact, 0), authenticatorIn(intact, 1)];
  const pending = intact['p']?.M ?? assert.fail('nothing is pending');
  nextStep(service);
  for (const { b: box } of [pending, spare]) {
    await overwrite(service, {
      ...intact,
      a: { L: [{ M: { ...first, ...(box && { b: box }) } }, { M: spare }] },
    });
    const answer = await verify(await challengeFor(client, person), {
      code: codeAt(secret, service.clock.seconds()),
    });
    assertProblem(answer, 401, 'code_rejected');
    // The one that still opens goes on: it alone is judged.
    assertProblem(
      await verify(await challengeFor(client, person), { code: nextCode() }),
      401,
      'code_rejected',
    );
  }
  await overwrite(service, intact);
  assert.equal((await verify(await challengeFor(client, person), { code: nextCode() })).status, 200);
});

test("another user's backup codes do not count in one's own record", async () => {
  const [victim, attacker] = [await enrolledPerson(service, client), await enrolledPerson(service, client)];
  const [intact, foreign] = [await recordOf(victim.person), await recordOf(attacker.person)];
  await overwrite(service, { ...intact, ...(foreign['b'] && { b: foreign['b'] }) });
  for (const backupCode of attacker.backupCodes.slice(0, 3)) {
    const answer = await verify(await challengeFor(client, victim.person), { backupCode });
    assertProblem(answer, 401, 'code_rejected');
  }
  assert.equal((await storedFactor(service, victim.person)).failures, 3);
});

test('an altered box does not open, whichever byte was altered', async () => {
  const { person, code } = await enrolledPerson(service, client);
  const intact = await recordOf(person);
  const own = authenticatorIn(intact);
  const box = own['b']?.B ?? assert.fail('no box');
  for (const at of [0, 1, 12, 13, 20, box.length - 16, box.length - 1]) {
    const altered = Uint8Array.from(box);
    altered[at] = (altered[at] ?? 0) ^ 1;
    await overwrite(service, { ...intact, a: { L: [{ M: { ...own, b: { B: altered } } }] } });
    assertUnavailable(await verify(await challengeFor(client, person), { code: code() }));
  }
  await overwrite(service, intact);
});

test('the whole table without KMS holds no secret, no code, no token and no key, and opens nothing', async () => {
  const { person, secret, backupCodes, confirming, code, nextCode, ways } = await personWithWays(
    service,
    client,
  );
  await ways.verify({ backupCode: backupCodes[0] ?? '' });
  await confirming({ code: code() });
  const signedIn = await verify(await challengeFor(client, person), { code: nextCode() });
  await client.post('/v1/auth/refresh', { refreshToken: text(signedIn, 'refreshToken') });
  const keys = await unwrappedKeys(service);
  assert.ok(wiretap.size > 50, 'the test knows what to look for');
  assert.deepEqual(await wiretap.leaks(service), []);
  const contents = (await wholeTable(service)).flatMap((item) => contentsOf(item));

  // It would have been seen.
  const intact = await recordOf(person);
  const raw = Buffer.from(base32nopad.decode(secret));
  const planted: [string, string | Uint8Array][] = [
    ['a secret', raw],
    ['a secret', Buffer.concat([Buffer.from('x'), raw, Buffer.from('xyz')])],
    ['a secret', raw.toString('hex')],
    ['a secret', `x${raw.toString('base64url')}`],
    ['a secret', secret.toLowerCase()],
    ['a code', `the code ${code()}.`],
    ['a backup code', Buffer.from(backupCodes[1] ?? '')],
    ['a password', Buffer.from(`xy${person.password}`).toString('base64')],
    ['a token', text(signedIn, 'refreshToken')],
    ...keys
      .filter(({ kind }) => kind !== 'signing')
      .map(({ plain }): [string, Uint8Array] => ['a key', plain]),
    ['an API key', service.local.apiKey],
  ];
  for (const [what, content] of planted) {
    const value = typeof content === 'string' ? { S: content } : { B: content };
    await overwrite(service, { ...intact, planted: value });
    const found = await wiretap.leaks(service);
    assert.ok(
      found.some((one) => one.startsWith(`${what} in the item USER#`)),
      `${what} was not seen`,
    );
  }
  await overwrite(service, intact);

  const user = { realm: 'users', sub: person.sub };
  const { authenticators, backupCodes: stored } = await storedFactor(service, person);
  const [{ id = '', secret: sealed } = {}] = authenticators;
  assert.ok(sealed && stored);
  const unused = backupCodes[5] ?? '';
  const opens = (plain: Uint8Array) => {
    const key = createSecretKey(plain);
    return {
      secret: open(sealed, user, id, { id: sealed.keyId, key }) !== undefined,
      backup: withoutCode(unused, user, stored, { id: stored.keyId, key }) !== undefined,
    };
  };
  for (const content of contents) {
    const bytes = Buffer.from(content);
    for (let at = 0; at + 32 <= bytes.length; at++) {
      assert.deepEqual(opens(bytes.subarray(at, at + 32)), { secret: false, backup: false });
    }
  }
  const unwrapped = keys.map(({ kind, plain }) => ({ kind, ...opens(plain) }));
  assert.ok(
    unwrapped.some(({ kind, secret }) => kind === 'data' && secret),
    'what KMS unwraps opens the secret',
  );
  assert.ok(
    unwrapped.some(({ kind, backup }) => kind === 'backup-code' && backup),
    'and digests the codes',
  );
});

test('while KMS fails nobody is let in on any path, nothing is written, and afterwards everybody goes on', async () => {
  const { person, ways, confirming, code, nextCode, backupCodes } = await personWithWays(service, client);
  const { confirm, secret } = await confirming({ code: code() });
  const { refresh: elsewhere } = await signIn(client, await createPerson(service));
  // What containers held is gone, but for those that sign in.
  service.clock.advance(301);
  assert.equal((await ways['verify-login']({ code: nextCode() })).status, 200);
  service.clock.advance(30);
  let before = await storedRecord(service, person);
  await during('error', ['Decrypt'], async () => {
    const answers = [await confirm(codeAt(secret, service.clock.seconds()))];
    for (const way of wayNames.filter((way) => way !== 'verify-login')) {
      answers.push(await ways[way]({ code: code() }));
    }
    for (const answer of answers) assertUnavailable(answer);
  });
  assert.deepEqual(await storedRecord(service, person), before);
  assert.equal((await ways.verify({ code: code() })).status, 200);

  // None of the keys can be had, or the one that signs and not the others.
  for (const [fault, had] of [
    ['error', 0],
    ['throttle', 0],
    ['error', 1],
  ] as const) {
    service.clock.advance(301);
    const challenge = await challengeFor(client, person);
    before = await storedRecord(service, person);
    const asking = async () => {
      for (const proof of [{ code: code() }, { code: '000000' }, { backupCode: backupCodes[0] ?? '' }]) {
        assertUnavailable(await verify(challenge, proof));
      }
      assertUnavailable(await client.post('/v1/auth/refresh', { refreshToken: elsewhere }));
    };
    await during(fault, ['Decrypt'], asking, had);
    assert.deepEqual(await storedRecord(service, person), before, `${fault} after ${had}`);
    assert.equal((await verify(challenge, { code: code() })).status, 200);
  }
});

test('while DynamoDB fails nobody is let in on any path, nothing changes, and afterwards everybody goes on', async () => {
  const { person, ways, confirming, code, nextCode, wrongCode, backupCodes } = await personWithWays(
    service,
    client,
  );
  const { confirm, secret } = await confirming({ code: code() });
  service.clock.advance(30);
  const challenge = await challengeFor(client, person);
  const before = await storedRecord(service, person);
  const pendingCode = () => codeAt(secret, service.clock.seconds());
  for (const [fault, operation] of [
    ['error', 'GetItem'],
    ['throttle', 'UpdateItem'],
  ] as const) {
    await during(fault, [operation], async () => {
      const answers = [
        await verify(challenge, { code: code() }),
        await verify(challenge, { code: wrongCode() }),
        await verify(challenge, { backupCode: backupCodes[0] ?? '' }),
        await confirm(pendingCode()),
        ...(await Promise.all(
          wayNames.filter((way) => way !== 'verify-login').map((way) => ways[way]({ code: code() })),
        )),
      ];
      for (const answer of answers) assertUnavailable(answer);
    });
    assert.deepEqual(await storedRecord(service, person), before, `${fault} at ${operation}`);
  }
  assert.equal((await ways['verify-login']({ code: nextCode() })).status, 200);
});

test('an answer lost after its write is given as written: nothing is charged twice, nothing accepted twice', async () => {
  const { person, ways, code, wrongCode, backupCodes } = await personWithWays(service, client);
  const once = () => {
    let lost = false;
    service.setFault(({ operation }) => {
      if (lost || operation !== 'UpdateItem') return undefined;
      lost = true;
      return 'lose-answer';
    });
  };
  once();
  assertProblem(await ways.verify({ code: wrongCode() }), 401, 'code_rejected');
  assert.equal((await storedFactor(service, person)).failures, 1);
  once();
  assert.equal((await ways.verify({ backupCode: backupCodes[0] ?? '' })).status, 200);
  assert.equal((await storedFactor(service, person)).backupCodes?.digests.length, 9);
  once();
  const rotated = await ways['rotate-backup-codes']({ code: code() });
  service.setFault(undefined);
  assert.equal(rotated.status, 200);
  const [fresh = ''] = rotated.body['backupCodes'] as string[];
  assert.equal(
    (await ways.verify({ backupCode: fresh })).status,
    200,
    'the codes shown are the codes stored',
  );
  assertProblem(await ways.verify({ code: code() }), 401, 'code_rejected');
});

test('no log and no refusal holds a secret, a code, a password, a token or a key, on any path', async () => {
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
    await client.call('POST', '/v1/totp/verify', { body: malformed, bearer: access() });
    await client.call('POST', '/v1/auth/verify', {
      body: malformed,
      headers: { 'content-type': 'text/plain' },
    });
  }
  await client.post('/v1/auth/login', { username: person.username, password: 'Wrong-password-9' });
  await client.post('/v1/auth/login', { username: person.username, password: person.password, code: code() });
  await client.post('/v1/auth/verify', { challengeToken: `${access()}x`, code: code() });
  await client.post('/v1/auth/refresh', { refreshToken: access() });
  await client.post('/v1/totp/verify', { code: code() }, `${access()}x`);
  await client.call('GET', `/v1/totp?code=${code()}`, { bearer: access() });
  await client.get(`/v1/nowhere/${code()}`, access());
  await client.call('GET', '/v1/totp', { headers: { 'x-api-key': 'A-key-that-is-none-at-all' } });

  // Every fault of everything that is called.
  for (const fault of ['error', 'throttle', 'lose-answer'] as const) {
    service.clock.advance(301);
    for (const operation of ['AdminInitiateAuth', 'RevokeToken', 'GetItem', 'UpdateItem', 'Decrypt']) {
      await during(fault, [operation], async () => {
        const login = await client.post('/v1/auth/login', {
          username: person.username,
          password: person.password,
        });
        await client.post('/v1/totp/verify', { code: code() }, access());
        const challengeToken = login.body['challengeToken'];
        if (typeof challengeToken === 'string') await verify(challengeToken, { code: nextCode() });
      });
    }
  }
  const other = await signIn(client, await createPerson(service));
  await client.post('/v1/auth/refresh', { refreshToken: other.refresh });
  await client.post('/v1/auth/refresh', { refreshToken: other.refresh });

  // A record that nobody wrote: what goes wrong then is no refusal of ours but a defect.
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
  await during('error', ['GetItem'], () => answer(cutOff, given).catch(() => undefined));

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
    'the log of cognito/verify-auth-challenge-response',
    'the log of access',
    'the answer of POST /v1/auth/verify',
    `the answer of POST /v1/admin/users/${person.sub}/reset`,
    "Cognito's answer to RespondToAuthChallenge",
    'what dynamodb is told: UpdateItem',
    'what KMS is asked: Decrypt',
  ]) {
    assert.ok(wiretap.places.has(place), place);
  }
  assert.deepEqual(await wiretap.leaks(service), []);

  // It would have been heard.
  const leaked = code();
  wiretap.onLog('verify', `{"level":"error","error":"${leaked} is wrong"}`);
  const refused = { service: 'execute-api', status: 400, request: { headers: {}, body: '' } } as const;
  for (const body of [`{"detail":"not ${access()}"}`, `{"secret":"${secret}"}`]) {
    wiretap.onExchange({ ...refused, operation: 'POST /v1/totp/enroll', answer: { headers: {}, body } });
  }
  const heard = (await wiretap.leaks(service)).map((one) => one.split(':')[0]);
  assert.deepEqual(heard.toSorted(), [
    'a code in the log of verify',
    'a secret in the answer of POST /v1/totp/enroll',
    'a token in the answer of POST /v1/totp/enroll',
  ]);
});
