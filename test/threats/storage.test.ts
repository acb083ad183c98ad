// An attacker reads the table, or writes to it.
import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { test } from 'node:test';
import { base32nopad } from '@scure/base';
import { consumeCode } from '../../core/backup-codes.ts';
import { inForce, open } from '../../core/totp/sealed.ts';
import { typedCode } from '../../core/typed-code.ts';
import { assertProblem, challengeFor, clientOf, codeAt, text } from '../support/client.ts';
import '../support/native-powers.ts';
import { assertUnavailable } from '../support/faults.ts';
import { unwrappedKeys } from '../support/operator-keys.ts';
import { unthrottled } from '../support/plans.ts';
import { serviceForTests } from '../support/service.ts';
import { authenticatorIn, storedFactor, storedRecord } from '../support/stored.ts';
import { contentsOf, overwrite, wholeTable } from '../support/table.ts';
import { enrolledPerson, nextStep, personWithWays } from '../support/ways.ts';

const service = await serviceForTests(unthrottled);
const { wiretap } = service;
const client = clientOf(service);

const verify = (challengeToken: string, proof: Record<string, string>) =>
  client.post('/v1/auth/verify', { challengeToken, ...proof });
const recordOf = async (person: { sub: string }) =>
  (await storedRecord(service, person)) ?? assert.fail('no record');

test("another user's sealed secret does not open in one's own record, so nobody gets in", async () => {
  const [victim, attacker] = [await enrolledPerson(service, client), await enrolledPerson(service, client)];
  const challenge = await challengeFor(client, victim.person);
  const [intact, foreign] = [await recordOf(victim.person), await recordOf(attacker.person)];
  const { b: box, k: keyId } = authenticatorIn(foreign);
  const own = authenticatorIn(intact);
  const replacements = {
    'the ciphertext alone': { ...own, ...(box && { b: box }), ...(keyId && { k: keyId }) },
    'the authenticator': authenticatorIn(foreign),
    'the ciphertext under our id': { ...authenticatorIn(foreign), ...(own['i'] && { i: own['i'] }) },
  };
  for (const [what, authenticator] of Object.entries(replacements)) {
    const forged = { ...intact, a: { L: [{ M: authenticator }] } };
    await overwrite(service, forged);
    for (const code of [attacker.code(), victim.code(), victim.wrongCode()]) {
      const answer = await verify(challenge, { code });
      assert.equal(answer.status, 503, what);
      assertUnavailable(answer);
    }
    assert.deepEqual(await storedRecord(service, victim.person), forged, `${what}: no attempt is spent`);
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

test('a sealed secret does not open in another field, whether a pending one is put in force or a spare replaces the first', async () => {
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
    // The spare still opens, so the code is compared with it alone.
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
  assert.equal((await storedFactor(service, victim.person)).backupFailures, 3);
});

test('an altered sealed secret does not open, whichever byte was altered', async () => {
  const { person, code } = await enrolledPerson(service, client);
  const intact = await recordOf(person);
  const own = authenticatorIn(intact);
  const box = own['b']?.B ?? assert.fail('no ciphertext');
  for (const at of [0, 1, 12, 13, 20, box.length - 16, box.length - 1]) {
    const altered = Uint8Array.from(box);
    altered[at] = (altered[at] ?? 0) ^ 1;
    await overwrite(service, { ...intact, a: { L: [{ M: { ...own, b: { B: altered } } }] } });
    assertUnavailable(await verify(await challengeFor(client, person), { code: code() }));
  }
  await overwrite(service, intact);
});

test('without KMS the whole table holds no secret, code, token or key, and opens nothing', async () => {
  const { person, secret, backupCodes, confirming, code, nextCode, ways } = await personWithWays(
    service,
    client,
  );
  await ways.verify({ backupCode: backupCodes[0] ?? '' });
  await confirming({ code: code() });
  const signedIn = await verify(await challengeFor(client, person), { code: nextCode() });
  await client.post('/v1/auth/refresh', { refreshToken: text(signedIn, 'refreshToken') });
  const keys = await unwrappedKeys(service);
  assert.ok(wiretap.size > 50, 'the wiretap has collected secrets to look for');
  assert.deepEqual(await wiretap.leaks(service), []);
  const contents = (await wholeTable(service)).flatMap((item) => contentsOf(item));

  // Planted leaks are found, so the search works.
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
  const [authenticator = assert.fail()] = authenticators;
  const { secret: sealed } = authenticator;
  assert.ok(stored);
  const unused = typedCode(backupCodes[5] ?? '');
  const opens = (plain: Uint8Array) => {
    const key = createSecretKey(plain);
    return {
      secret: open(sealed, user, inForce(authenticator), { id: sealed.keyId, key }) !== undefined,
      backup: consumeCode(unused, user, stored, { id: stored.keyId, key }) !== undefined,
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
