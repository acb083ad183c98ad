// One container per function, so that its cached keys are known at every step.
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
// Stops the clock, so that a cache of 30 s or 300 s does not expire during 200 requests on a slow machine.
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
/** Advances the clock to that time, if it lies ahead. */
const advanceTo = (seconds: number) => clock.advance(Math.max(0, seconds - clock.seconds()));

/** Advances the clock until every kind is due and creates the new keys, none of which is in use yet. */
async function rotated() {
  for (const kind of KINDS) advanceTo((await newest(kind)).activeFrom + 90 * DAY);
  await rotate();
  return { madeAt: clock.seconds() };
}

test('a rotation creates no key before it is due, and then one of each kind, even if five run at once', async () => {
  await rotate();
  assert.deepEqual(await counts(), [1, 1, 1]);
  for (const kind of KINDS) advanceTo((await newest(kind)).activeFrom + 90 * DAY);
  await Promise.all(Array.from({ length: 5 }, rotate));
  await rotate();
  assert.deepEqual(await counts(), [2, 2, 2]);
});

test('a signing key is published before its first use and until its last token has expired', async () => {
  const { madeAt } = await rotated();
  const person = await createPerson(service);
  const next = await newest('signing');
  // Whatever the answering container had cached when the key was created.
  clock.advance(HOLD);
  assert.ok((await published(service)).includes(next.id));
  // API Gateway's authorizers cache a key set for two hours, and caches on the way for max-age.
  assert.ok(next.activeFrom >= madeAt + HOLD + 300 + 7200);

  advanceTo(next.activeFrom - 10);
  const before = await signIn(client, person);
  const { id: old } = (await storedKeys(service, 'signing')).at(-2) ?? assert.fail();
  assert.deepEqual([kidOf(before.access), kidOf(before.refresh)], [old, old]);
  advanceTo(next.activeFrom);
  const after = await signIn(client, person);
  assert.deepEqual([kidOf(after.access), kidOf(after.refresh)], [next.id, next.id]);
  // Containers that knew the new key all the time accept both.
  for (const { access } of [before, after])
    assert.equal((await client.get('/v1/authenticators', access)).status, 200);

  advanceTo(next.activeFrom - 20 + DAY);
  await rotate();
  assert.deepEqual((await published(service)).includes(old), true);
  const refreshed = await client.post('/v1/auth/refresh', { refreshToken: before.refresh });
  assert.equal(refreshed.status, 200);
  assert.equal(kidOf(text(refreshed, 'accessToken')), next.id);

  // A day for the tokens, and the time by which a container may lag.
  clock.advance(HOLD + 120);
  await rotate();
  clock.advance(HOLD);
  assert.deepEqual(await published(service), [next.id]);
});

test('a data key is used once every container knows it, and the previous one still opens what it sealed', async () => {
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
  // A backup code neither opens nor seals a secret. A wrong code opens secrets but seals none.
  assert.equal(await signedIn({ backupCode: backupCodes[0] }), 200);
  assert.equal(await signedIn({ code: wrongCodeAt(secret, clock.seconds()) }), 401);
  assert.deepEqual(await sealedUnder(person), [old]);
  assert.equal(await signedIn({ code: codeAt(secret, clock.seconds()) }), 200);
  assert.deepEqual(await sealedUnder(person), [next.id]);
});

test('a successful verification seals the secret again in the same write: one read, one write and no KMS call when warm', async () => {
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
  // Makes the container unwrap both keys, the one that opens and the one that seals.
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

test('tokens of a withdrawn signing key are void once the cache has expired, and another key signs new ones at once', async () => {
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

test('a new container signs with the replacement at once', async () => {
  const kid = kidOf((await signIn(client, await createPerson(service))).access);
  // This container's cache expires, so that it has to read the keys again.
  clock.advance(HOLD);
  await withdraw(kid);
  const { id } = await inUse('signing');
  assert.equal(kidOf((await signIn(client, await createPerson(service))).access), id);
});

test('withdrawing a key that is not in use creates none, because verifiers know the one in use', async () => {
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
  // The next run creates another.
  await rotate();
  assert.notEqual((await newest('signing')).id, signing.id);
});

test('withdrawing an unknown key reports it, and a misspelt withdrawal does not rotate', async () => {
  const before = await storedKeys(service, 'signing');
  assert.deepEqual(await withdraw('no-such-key'), { withdrawn: false });
  for (const event of [{ withdrawn: before[0]?.id }, { withdraw: 1 }, { withdraw: null }, null, 'withdraw']) {
    const { ok } = await service.invoke('rotate-keys', event);
    assert.equal(ok, false, JSON.stringify(event));
  }
  assert.deepEqual(await storedKeys(service, 'signing'), before);
});

test('if one kind of key fails, the others still rotate and the run fails', async () => {
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
  /** Returns the calls that a stranger's requests cause. Only the keyring may be read for them. */
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
