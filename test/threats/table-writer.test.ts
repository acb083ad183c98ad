// An attacker can write the table, but cannot use KMS.
import assert from 'node:assert/strict';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import { KEYRING_TTL } from '../../core/key-rotation.ts';
import { timeStep } from '../../core/totp/algorithm.ts';
import {
  type Answer,
  assertProblem,
  challengeFor,
  clientOf,
  codeAt,
  type Person,
  signIn,
  text,
} from '../support/client.ts';
import { assertUnavailable } from '../support/faults.ts';
import { keep, storedKeys } from '../support/keyring-items.ts';
import { createPerson } from '../support/people.ts';
import { unthrottled } from '../support/plans.ts';
import { serviceForTests } from '../support/service.ts';
import { authenticatorIn, storedItem, storedRecord } from '../support/stored.ts';
import { type Item, overwrite } from '../support/table.ts';
import { enrolledPerson } from '../support/ways.ts';

const lines: Record<string, unknown>[] = [];
const service = await serviceForTests(
  { ...unthrottled, lifetimes: { accessToken: 3600, challenge: 600 } },
  { environments: 1, onLog: (operation, line) => lines.push({ operation, ...parsed(line) }) },
);
const client = clientOf(service);
const { clock } = service;
clock.stop();

function parsed(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line);
  } catch {
    return {};
  }
}

const recordOf = async (person: { sub: string }) =>
  (await storedRecord(service, person)) ?? assert.fail('no record');
const ringOf = async () => (await storedItem(service, 'KEYRING#signing')) ?? assert.fail('no ring');
const login = ({ username, password }: Person) => client.post('/v1/auth/login', { username, password });
const verifyLogin = (challengeToken: string, proof: Record<string, string>) =>
  client.post('/v1/auth/verify', { challengeToken, ...proof });

const theirs = generateKeyPairSync('rsa', { modulusLength: 2048 });
const theirPublic = theirs.publicKey.export({ format: 'der', type: 'spki' });
const theirPrivate = theirs.privateKey.export({ format: 'der', type: 'pkcs8' });
const { n: theirModulus } = theirs.publicKey.export({ format: 'jwk' });

const PLANTED = 'planted-by-them0';
/** Returns an attacker's key that is never in use, so that signing continues with the genuine one. */
const planted = (halves: Record<string, Uint8Array>): Item => ({
  id: { S: PLANTED },
  activeFrom: { N: '1' },
  ...Object.fromEntries(Object.entries(halves).map(([name, bytes]) => [name, { B: bytes }])),
});
const halfOf = (key: Item, name: string) => key[name] ?? assert.fail(name);

interface Plan {
  keys: (inUse: Item, next: Item) => Item[];
  /** Genuine tokens stay accepted meanwhile. If unset, they may be refused, or fail with 503. */
  goesOn?: true;
  /** The key id that the log names. */
  logged?: (inUse: Item) => string;
}

const plans: Record<string, Plan> = {
  'their public key in plain beside the wrapped one of the key in use': {
    keys: (inUse, next) => [{ ...inUse, publicKey: { B: theirPublic } }, next],
    goesOn: true,
  },
  'a key of theirs as an earlier version stored it': {
    keys: (inUse, next) => [inUse, next, planted({ wrapped: Buffer.from('junk'), publicKey: theirPublic })],
    goesOn: true,
  },
  'a key of theirs in plain where ciphertexts are expected': {
    keys: (inUse, next) => [inUse, next, planted({ wrapped: theirPrivate, wrappedPublic: theirPublic })],
    goesOn: true,
    logged: () => PLANTED,
  },
  'a key under their id, with the halves of the key in use': {
    keys: (inUse, next) => [inUse, next, { ...inUse, id: { S: PLANTED }, activeFrom: { N: '1' } }],
    goesOn: true,
    logged: () => PLANTED,
  },
  'their public key in the place of that of the key in use': {
    keys: (inUse, next) => [{ ...inUse, wrappedPublic: { B: theirPublic } }, next],
    logged: (inUse) => inUse['id']?.S ?? '',
  },
  'the private halves swapped between two ids': {
    keys: (inUse, next) => [
      { ...inUse, wrapped: halfOf(next, 'wrapped') },
      { ...next, wrapped: halfOf(inUse, 'wrapped') },
    ],
    logged: (inUse) => inUse['id']?.S ?? '',
  },
  'the public halves swapped between two ids': {
    keys: (inUse, next) => [
      { ...inUse, wrappedPublic: halfOf(next, 'wrappedPublic') },
      { ...next, wrappedPublic: halfOf(inUse, 'wrappedPublic') },
    ],
    logged: (inUse) => inUse['id']?.S ?? '',
  },
  "each half of the key in use in the other's place": {
    keys: (inUse, next) => [
      { ...inUse, wrapped: halfOf(inUse, 'wrappedPublic'), wrappedPublic: halfOf(inUse, 'wrapped') },
      next,
    ],
    logged: (inUse) => inUse['id']?.S ?? '',
  },
  'nothing but a key of theirs': {
    keys: () => [planted({ wrapped: theirPrivate, wrappedPublic: theirPublic, publicKey: theirPublic })],
    logged: () => PLANTED,
  },
};

/** Returns a token like this one, signed with the attacker's key. */
async function forged(token: string, kid: string): Promise<string> {
  const { alg, typ } = decodeProtectedHeader(token);
  const now = clock.seconds();
  return new SignJWT({ ...decodeJwt(token), iat: now, auth_time: now, exp: now + 300, jti: randomUUID() })
    .setProtectedHeader({ alg: alg ?? '', typ: typ ?? '', kid })
    .sign(theirs.privateKey);
}

const REFUSALS = ['token_invalid', 'refresh_token_invalid', 'challenge_invalid'];
/** Asserts a refusal, or a 503 if the keyring looks like one under another KMS key. */
function assertNotLetIn(answer: Answer, what: string, goesOn: boolean): void {
  const code = String(answer.body['code']);
  if (answer.status === 401) assert.ok(REFUSALS.includes(code), `${what}: ${code}`);
  else assert.deepEqual([answer.status, code, goesOn], [503, 'temporarily_unavailable', false], what);
}

test('an attacker who can write the table but not use KMS cannot forge a token', async () => {
  // The keyring holds two genuine keys, and the older one is in use.
  clock.advance(91 * 86_400);
  await keep(service, 'rotate-keys');
  const intact = await ringOf();
  const genuine = (await storedKeys(service, 'signing')).map(({ id }) => id);
  const [inUse = assert.fail(), next = assert.fail()] = (intact['keys']?.L ?? []).map(({ M }) => M ?? {});
  const { person, code, nextCode } = await enrolledPerson(service, client);

  for (const [what, { keys, goesOn = false, logged }] of Object.entries(plans)) {
    const challenge = await challengeFor(client, person);
    const session = await verifyLogin(challenge, { code: nextCode() });
    const [access, refresh] = [text(session, 'accessToken'), text(session, 'refreshToken')];
    assert.equal(decodeProtectedHeader(access).kid, inUse['id']?.S);
    const waiting = await challengeFor(client, person);
    const record = await recordOf(person);
    clock.advance(KEYRING_TTL);
    const family = await storedItem(service, `FAMILY#${decodeJwt(refresh)['family']}`);
    await overwrite(service, { ...intact, keys: { L: keys(inUse, next).map((key) => ({ M: key })) } });
    const from = lines.length;

    for (const kid of [...genuine, PLANTED]) {
      const [bearer, refreshToken] = [await forged(access, kid), await forged(refresh, kid)];
      const attempts = {
        status: () => client.get('/v1/authenticators', bearer),
        verify: () => client.post('/v1/authenticators/verify', { code: code() }, bearer),
        enroll: () => client.post('/v1/totp/enroll', { code: code() }, bearer),
        disable: () => client.post('/v1/authenticators/disable', { code: code() }, bearer),
        refresh: () => client.post('/v1/auth/refresh', { refreshToken }),
        logout: () => client.post('/v1/auth/logout', { refreshToken }),
        'verify-login': async () => verifyLogin(await forged(waiting, kid), { code: code() }),
      };
      for (const [operation, attempt] of Object.entries(attempts)) {
        assertNotLetIn(await attempt(), `${what}: ${operation} with ${kid}`, goesOn);
      }
    }
    const jwks = await client.get('/.well-known/jwks.json');
    assert.equal(jwks.status === 200 || !goesOn, true, what);
    for (const { kid, n } of (jwks.body['keys'] ?? []) as Record<string, string>[]) {
      assert.ok(kid && genuine.includes(kid), `${what}: ${kid} is published`);
      assert.notEqual(n, theirModulus, what);
    }
    // Genuine tokens stay valid, or nobody gets in.
    const own = await client.get('/v1/authenticators', access);
    if (goesOn) assert.equal(own.status, 200, what);
    else assert.ok([200, 401, 503].includes(own.status), what);
    const signedIn = await login(person);
    const challengeToken = signedIn.body['challengeToken'];
    if (goesOn) assert.equal(signedIn.status, 200, what);
    if (typeof challengeToken === 'string') {
      assert.ok(genuine.includes(decodeProtectedHeader(challengeToken).kid ?? ''), what);
    } else assertUnavailable(signedIn);
    if (logged) {
      const told = lines.slice(from).filter(({ keyId }) => keyId === logged(inUse));
      assert.ok(told.length > 0, `${what}: no line names the key`);
      for (const { level, kind } of told) assert.deepEqual([level, kind], ['error', 'signing']);
    }

    assert.deepEqual(await recordOf(person), record, `${what}: no attempt is spent, nothing changed`);
    assert.deepEqual(await storedItem(service, `FAMILY#${decodeJwt(refresh)['family']}`), family, what);
    await overwrite(service, intact);
    clock.advance(KEYRING_TTL);
    assert.equal((await client.get('/v1/authenticators', access)).status, 200, `${what}: undone, it goes on`);
    assert.equal((await client.post('/v1/auth/refresh', { refreshToken: refresh })).status, 200, what);
  }
});

test('a key that an attacker puts in use through the table signs nothing: it opens no session and issues no token', async () => {
  const intact = await ringOf();
  const { person } = await enrolledPerson(service, client);
  const before = await signIn(client, await createPerson(service));
  const keys = intact['keys']?.L ?? [];
  const halves = planted({ wrapped: theirPrivate, wrappedPublic: theirPublic });
  const newest = { M: { ...halves, activeFrom: { N: String(clock.seconds() - 1) } } };
  await overwrite(service, { ...intact, keys: { L: [...keys, newest] } });
  clock.advance(KEYRING_TTL);
  assertUnavailable(await login(person));
  assertUnavailable(await client.post('/v1/auth/refresh', { refreshToken: before.refresh }));
  // Functions that only verify keep working.
  assert.equal((await client.get('/v1/authenticators', before.access)).status, 200);
  await overwrite(service, intact);
  clock.advance(KEYRING_TTL);
  assert.equal((await client.post('/v1/auth/refresh', { refreshToken: before.refresh })).status, 200);
});

/** Begins an enrollment with a session. The attacker knows its secret and has not confirmed it. */
async function enrolling(access: string, proof: Record<string, string> = {}) {
  const begun = await client.post('/v1/totp/enroll', { name: 'Theirs', ...proof }, access);
  assert.equal(begun.status, 201, JSON.stringify(begun.body));
  const secret = text(begun, 'secret');
  return {
    code: () => codeAt(secret, clock.seconds()),
    confirm: (bearer = access) =>
      client.post(
        '/v1/totp/confirm',
        { authenticatorId: text(begun, 'authenticatorId'), code: codeAt(secret, clock.seconds()) },
        bearer,
      ),
  };
}

/** Turns a pending authenticator into one in force. */
function inForce(pending: Item): Item {
  const { x: _, ...authenticator } = pending;
  return { ...authenticator, s: { N: '0' }, c: { N: '1' }, u: { N: '1' } };
}

test('a pending secret moved into force does not open', async () => {
  const person = await createPerson(service);
  const { access } = await signIn(client, person);
  const pending = await enrolling(access, { password: person.password });
  const { p, ...rest } = await recordOf(person);
  const moved = { ...rest, a: { L: [{ M: inForce(p?.M ?? assert.fail('nothing is pending')) }] } };
  await overwrite(service, moved);
  assertUnavailable(await verifyLogin(await challengeFor(client, person), { code: pending.code() }));
  assert.deepEqual(await recordOf(person), moved);

  // Next to an enrolled authenticator, whose owner can still sign in.
  const owner = await enrolledPerson(service, client);
  const second = await enrolling(owner.access, { code: owner.code() });
  const { p: waiting, ...record } = await recordOf(owner.person);
  const planted = inForce(waiting?.M ?? assert.fail('nothing is pending'));
  await overwrite(service, { ...record, a: { L: [...(record['a']?.L ?? []), { M: planted }] } });
  const challenge = await challengeFor(client, owner.person);
  assertProblem(await verifyLogin(challenge, { code: second.code() }), 401, 'code_rejected');
  assert.equal((await verifyLogin(challenge, { code: owner.nextCode() })).status, 200);
});

test('an enrollment kept past its expiry, or restored after a change, cannot be confirmed', async () => {
  const person = await createPerson(service);
  const { access } = await signIn(client, person);
  const theirs = await enrolling(access, { password: person.password });
  const begun = await recordOf(person);
  const pending = begun['p']?.M ?? assert.fail('nothing is pending');
  const kept = { ...begun, p: { M: { ...pending, x: { N: String(clock.seconds() + 100_000) } } } };
  await overwrite(service, kept);
  assertUnavailable(await theirs.confirm());
  assert.deepEqual(await recordOf(person), kept);

  await overwrite(service, begun);
  const own = await enrolling(access, { password: person.password });
  const confirmed = await own.confirm();
  assert.equal(confirmed.status, 200);
  const enrolled = await recordOf(person);
  await overwrite(service, { ...enrolled, p: { M: pending } });
  assertUnavailable(await theirs.confirm(text(confirmed, 'accessToken')));
  assert.equal(authenticatorIn(await recordOf(person))['i']?.S, authenticatorIn(enrolled)['i']?.S);
  assert.equal((await recordOf(person))['a']?.L?.length, 1);
});

test('altering the period in a record makes no code of another period count', async () => {
  const { person, secret, code } = await enrolledPerson(service, client);
  const intact = await recordOf(person);
  const own = authenticatorIn(intact);
  // Counted in steps of 31 seconds, now is a step that passed long ago in steps of 30.
  // A code seen then would count again.
  const step = timeStep(clock.seconds(), 31);
  const old = codeAt(secret, step * 30);
  const altered = (parameters: string) => ({
    ...intact,
    a: { L: [{ M: { ...own, t: { S: parameters }, s: { N: '0' } } }] },
  });
  const eight = Number(codeAt(secret, clock.seconds()));
  for (const [parameters, seen] of [
    ['SHA1/6/31', old],
    ['SHA1/8/30', String(eight).padStart(8, '0')],
    ['SHA256/6/30', code()],
    ['SHA1/6/30', old],
  ] as const) {
    await overwrite(service, altered(parameters));
    const answer = await verifyLogin(await challengeFor(client, person), { code: seen });
    // With unaltered parameters the secret opens, and the old code is simply wrong.
    if (parameters === 'SHA1/6/30') assertProblem(answer, 401, 'code_rejected');
    else {
      assertUnavailable(answer);
      assert.deepEqual(await recordOf(person), altered(parameters));
    }
  }
  await overwrite(service, intact);
  assert.equal((await verifyLogin(await challengeFor(client, person), { code: code() })).status, 200);
});
