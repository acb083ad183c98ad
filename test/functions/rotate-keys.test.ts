// One environment a function, so that what its container holds is known at every step.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { decodeProtectedHeader } from 'jose';
import { activeKey } from '../../core/key-rotation.ts';
import {
  assertProblem,
  challengeFor,
  clientOf,
  codeAt,
  enrollPerson,
  signIn,
  text,
  wrongCodeAt,
} from '../support/client.ts';
import { keep, published, storedKeys } from '../support/keyring-items.ts';
import { createPerson } from '../support/people.ts';
import { unthrottled } from '../support/plans.ts';
import { serviceForTests } from '../support/service.ts';
import { callsDuring, storedFactor } from '../support/stored.ts';

const DAY = 86_400;
const HOLD = 300;
const service = await serviceForTests(unthrottled, { environments: 1 });
const client = clientOf(service);
const { clock } = service;
// What is held for 30 s or 300 s is held until the time is moved on, however long a slow machine takes over 200 requests.
clock.stop();
const KINDS = ['data', 'backup-code', 'signing'] as const;

const rotate = () => keep(service, 'rotate-keys');
const withdraw = (id: string) => keep(service, 'rotate-keys', { withdraw: id });
const newest = async (kind: (typeof KINDS)[number]) =>
  (await storedKeys(service, kind)).at(-1) ?? assert.fail(kind);
const inUse = async (kind: (typeof KINDS)[number]) =>
  activeKey(await storedKeys(service, kind), clock.seconds()) ?? assert.fail(kind);
const kidOf = (token: string) => decodeProtectedHeader(token).kid ?? '';
const counts = () => Promise.all(KINDS.map(async (kind) => (await storedKeys(service, kind)).length));
/** On to that time, if it is still to come. */
const advanceTo = (seconds: number) => clock.advance(Math.max(0, seconds - clock.seconds()));

/** Moves the time on until every kind is due, and makes the new keys: none is in use yet. */
async function rotated() {
  for (const kind of KINDS) advanceTo((await newest(kind)).activeFrom + 90 * DAY);
  await rotate();
  return { madeAt: clock.seconds() };
}

test('before its time nothing is made; then one key of each kind, whether it is said once or five times at once', async () => {
  await rotate();
  assert.deepEqual(await counts(), [1, 1, 1]);
  for (const kind of KINDS) advanceTo((await newest(kind)).activeFrom + 90 * DAY);
  await Promise.all(Array.from({ length: 5 }, rotate));
  await rotate();
  assert.deepEqual(await counts(), [2, 2, 2]);
});

test('a signing key is published before its first use and until its last token is gone', async () => {
  const { madeAt } = await rotated();
  const person = await createPerson(service);
  const next = await newest('signing');
  // Whatever the container that answers had read when the key was made.
  clock.advance(HOLD);
  assert.ok((await published(service)).includes(next.id));
  // Two hours is what API Gateway's authorizers hold a key set for, and max-age what a cache on the way does.
  assert.ok(next.activeFrom >= madeAt + HOLD + 300 + 7200);

  advanceTo(next.activeFrom - 10);
  const before = await signIn(client, person);
  const { id: old } = (await storedKeys(service, 'signing')).at(-2) ?? assert.fail();
  assert.deepEqual([kidOf(before.access), kidOf(before.refresh)], [old, old]);
  advanceTo(next.activeFrom);
  const after = await signIn(client, person);
  assert.deepEqual([kidOf(after.access), kidOf(after.refresh)], [next.id, next.id]);
  // Both are accepted, by containers that knew of the new key all the time.
  for (const { access } of [before, after])
    assert.equal((await client.get('/v1/authenticators', access)).status, 200);

  advanceTo(next.activeFrom - 20 + DAY);
  await rotate();
  assert.deepEqual((await published(service)).includes(old), true);
  const refreshed = await client.post('/v1/auth/refresh', { refreshToken: before.refresh });
  assert.equal(refreshed.status, 200);
  assert.equal(kidOf(text(refreshed, 'accessToken')), next.id);

  // A day for the tokens, and as long as a container may have been behind.
  clock.advance(HOLD + 120);
  await rotate();
  clock.advance(HOLD);
  assert.deepEqual(await published(service), [next.id]);
});

test('a data key is used when every container knows it; the one before opens what it sealed', async () => {
  const { id: old } = await inUse('data');
  const person = await createPerson(service);
  const { backupCodes, secret } = await enrollPerson(service, client, person);
  const sealedUnder = async (somebody: { sub: string }) =>
    (await storedFactor(service, somebody)).authenticators.map((one) => one.secret.keyId);
  assert.deepEqual(await sealedUnder(person), [old]);

  const { madeAt } = await rotated();
  const next = await newest('data');
  assert.notEqual(next.id, old);
  assert.ok(next.activeFrom > madeAt + HOLD);
  advanceTo(next.activeFrom - 40);
  const early = await createPerson(service);
  await enrollPerson(service, client, early);
  assert.deepEqual(await sealedUnder(early), [old]);

  advanceTo(next.activeFrom);
  const late = await createPerson(service);
  await enrollPerson(service, client, late);
  assert.deepEqual(await sealedUnder(late), [next.id]);
  const signedIn = async (proof: Record<string, string | undefined>) => {
    const challengeToken = await challengeFor(client, person);
    return (await client.post('/v1/auth/verify', { challengeToken, ...proof })).status;
  };
  // A backup code opens no secret and seals none; a wrong code opens and seals none.
  assert.equal(await signedIn({ backupCode: backupCodes[0] }), 200);
  assert.equal(await signedIn({ code: wrongCodeAt(secret, clock.seconds()) }), 401);
  assert.deepEqual(await sealedUnder(person), [old]);
  assert.equal(await signedIn({ code: codeAt(secret, clock.seconds()) }), 200);
  assert.deepEqual(await sealedUnder(person), [next.id]);
});

test('a successful verification seals anew in the write it makes anyway: one read, one write, and no KMS call when warm', async () => {
  const people = [];
  for (let one = 0; one < 2; one++) {
    const person = await createPerson(service);
    people.push({ person, ...(await enrollPerson(service, client, person)) });
  }
  await rotated();
  const { id, activeFrom } = await newest('data');
  advanceTo(activeFrom);
  const [warming = assert.fail(), counted = assert.fail()] = people;
  const verify = async ({ code }: typeof warming, challengeToken: string) => {
    const answer = await client.post('/v1/auth/verify', { challengeToken, code: code() });
    assert.equal(answer.status, 200);
  };
  const challengeToken = await challengeFor(client, counted.person);
  // Unwraps both keys, the one it opens with and the one it seals with.
  await verify(warming, await challengeFor(client, warming.person));

  const before = await storedFactor(service, counted.person);
  const calls = await callsDuring(service, () => verify(counted, challengeToken));
  assert.deepEqual(calls, ['dynamodb:GetItem', 'dynamodb:UpdateItem']);
  const after = await storedFactor(service, counted.person);
  assert.notEqual(before.authenticators[0]?.secret.keyId, id);
  assert.deepEqual(
    after.authenticators.map(({ secret }) => secret.keyId),
    [id],
  );
});

test('a withdrawn signing key: its tokens die within the hold, and new ones are signed with another at once', async () => {
  const person = await createPerson(service);
  const stolen = await signIn(client, person);
  const kid = kidOf(stolen.access);
  assert.deepEqual(await withdraw(kid), { withdrawn: true });
  const replacement = await inUse('signing');
  assert.notEqual(replacement.id, kid);

  clock.advance(HOLD);
  assertProblem(await client.get('/v1/authenticators', stolen.access), 401, 'token_invalid');
  const refreshed = await client.post('/v1/auth/refresh', { refreshToken: stolen.refresh });
  assertProblem(refreshed, 401, 'refresh_token_invalid');
  assert.ok(!(await published(service)).includes(kid));
  const { access } = await signIn(client, person);
  assert.equal(kidOf(access), replacement.id);
  assert.equal((await client.get('/v1/authenticators', access)).status, 200);
});

test('a container that starts afresh signs with the replacement at once', async () => {
  const kid = kidOf((await signIn(client, await createPerson(service))).access);
  // No request has gone through this function's container since the keys were last read, so it has to read them.
  clock.advance(HOLD);
  await withdraw(kid);
  const { id } = await inUse('signing');
  assert.equal(kidOf((await signIn(client, await createPerson(service))).access), id);
});

test('withdrawing a key that is not in use makes none: verifiers know the one in use', async () => {
  await rotated();
  const waiting = await newest('signing');
  const signing = await inUse('signing');
  const before = await storedKeys(service, 'signing');
  assert.notEqual(waiting.id, signing.id);
  assert.deepEqual(await withdraw(waiting.id), { withdrawn: true });
  assert.deepEqual(
    await storedKeys(service, 'signing'),
    before.filter(({ id }) => id !== waiting.id),
  );
  // Another is made at the next turn.
  await rotate();
  assert.notEqual((await newest('signing')).id, signing.id);
});

test('a key that is not there is said not to be; a withdrawal that is misspelt is no rotation', async () => {
  const before = await storedKeys(service, 'signing');
  assert.deepEqual(await withdraw('no-such-key'), { withdrawn: false });
  for (const event of [{ withdrawn: before[0]?.id }, { withdraw: 1 }, { withdraw: null }, null, 'withdraw']) {
    const { ok } = await service.invoke('rotate-keys', event);
    assert.equal(ok, false, JSON.stringify(event));
  }
  assert.deepEqual(await storedKeys(service, 'signing'), before);
});

test('one kind of key that fails keeps no other from its turn, and the run has failed', async () => {
  for (const kind of KINDS) advanceTo((await newest(kind)).activeFrom + 90 * DAY);
  const newestIds = () => Promise.all(KINDS.map(async (kind) => (await newest(kind)).id));
  const before = await newestIds();
  service.setFault(({ operation }) =>
    operation === 'GenerateDataKeyPairWithoutPlaintext' ? 'error' : undefined,
  );
  const { ok } = await service.invoke('rotate-keys', {});
  service.setFault(undefined);
  assert.equal(ok, false);
  const during = await newestIds();
  assert.deepEqual(
    during.map((id, kind) => id !== before[kind]),
    [true, true, false],
  );
  await rotate();
  const after = await newestIds();
  assert.deepEqual(
    after.map((id, kind) => id !== during[kind]),
    [false, false, true],
  );
});

test('tokens with random key ids load the keyring at most once in 30 s', async () => {
  const { access } = await signIn(client, await createPerson(service));
  assert.equal((await client.get('/v1/authenticators', access)).status, 200);
  const [, claims, signature] = access.split('.');
  const forged = () => {
    const header = JSON.stringify({
      alg: 'RS256',
      typ: 'at+jwt',
      kid: randomBytes(12).toString('base64url'),
    });
    return [Buffer.from(header).toString('base64url'), claims, signature].join('.');
  };
  /** Requests of a stranger: nothing but the keyring can be read for them. */
  const reads = (requests: number) =>
    callsDuring(service, async () => {
      for (let one = 0; one < requests; one++) {
        assertProblem(await client.get('/v1/authenticators', forged()), 401, 'token_invalid');
      }
    });
  clock.advance(30);
  assert.deepEqual(await reads(200), ['dynamodb:GetItem']);
  clock.advance(29);
  assert.deepEqual(await reads(20), []);
  clock.advance(1);
  assert.deepEqual(await reads(20), ['dynamodb:GetItem']);
  assert.equal((await client.get('/v1/authenticators', access)).status, 200);
});
