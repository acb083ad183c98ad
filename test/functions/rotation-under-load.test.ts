// Keys of every kind rotate, are swept and retire while users sign in, verify and refresh. No request may fail.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { decodeProtectedHeader } from 'jose';
import { type Answer, assertProblem, challengeFor, clientOf, text } from '../support/client.ts';
import { keep, published, storedKeys } from '../support/keyring-items.ts';
import { unthrottled } from '../support/plans.ts';
import { serviceForTests } from '../support/service.ts';
import { storedFactor } from '../support/stored.ts';
import { enrolledPerson } from '../support/ways.ts';

const MINUTE = 60;
const HOUR = 3600;
const service = await serviceForTests({ ...unthrottled, keyRotationDays: 1 });
const client = clientOf(service);
const { clock } = service;
const kidsSeen = new Set<string>();

function succeeded(answer: Answer): Answer {
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer;
}

/** Creates a user who signs in now and then and uses that session, with at most one code at each turn. */
async function createUser() {
  const enrolled = await enrolledPerson(service, client);
  const { person, code } = enrolled;
  let { backupCodes, refresh } = enrolled;
  let [signIns, refreshes] = [0, 0];

  const signIn = async () => {
    const challengeToken = await challengeFor(client, person);
    const proof = ++signIns % 3 === 0 ? { backupCode: backupCodes.pop() } : { code: code() };
    return succeeded(await client.post('/v1/auth/verify', { challengeToken, ...proof }));
  };
  const goOn = async () => {
    const session = succeeded(await client.post('/v1/auth/refresh', { refreshToken: refresh }));
    const access = text(session, 'accessToken');
    if (++refreshes % 7 === 0) {
      const rotated = succeeded(await client.post('/v1/backup-codes/rotate', { code: code() }, access));
      backupCodes = rotated.body['backupCodes'] as string[];
      return rotated;
    }
    succeeded(await client.post('/v1/authenticators/verify', { code: code() }, access));
    return session;
  };
  const turn = (way: () => Promise<Answer>) => async () => {
    const session = await way();
    refresh = text(session, 'refreshToken');
    const access = text(session, 'accessToken');
    for (const token of [access, refresh]) kidsSeen.add(decodeProtectedHeader(token).kid ?? '');
    succeeded(await client.get('/v1/authenticators', access));
  };
  return { person, signIn: turn(signIn), goOn: turn(goOn) };
}

/** Sends a token with an unknown key id. The container then does not load the keyring again for 30 s. */
async function stranger(): Promise<void> {
  const header = { alg: 'RS256', typ: 'at+jwt', kid: randomBytes(12).toString('base64url') };
  const token = [JSON.stringify(header), '{}', 'signature'].map((part) =>
    Buffer.from(part).toString('base64url'),
  );
  assertProblem(await client.get('/v1/authenticators', token.join('.')), 401, 'token_invalid');
}

/** Seconds between turns over a day and a quarter: short while new keys come into use, long otherwise. */
const DAY_OF_TURNS = [
  ...[31, 150, 200, 40, 300],
  ...[2 * HOUR, 20 * MINUTE, 5 * MINUTE, MINUTE, 2 * MINUTE, 5 * MINUTE],
  ...[HOUR, 10 * HOUR, 10 * HOUR, 5 * HOUR],
];

test('no request fails while keys of every kind rotate, are swept and are retired over days of traffic', async () => {
  const users: Awaited<ReturnType<typeof createUser>>[] = [];
  for (let one = 0; one < 4; one++) users.push(await createUser());
  // This user returns rarely, with an old token.
  const rare = await createUser();
  const first = { data: await storedKeys(service, 'data'), signing: await storedKeys(service, 'signing') };
  const sweeps: Record<string, unknown>[] = [];
  for (let day = 0; day < 3; day++) {
    for (const [turn, seconds] of DAY_OF_TURNS.entries()) {
      clock.advance(seconds);
      await stranger();
      const [going, arriving] = ([0, 1] as const).map((half) =>
        users.filter((_, user) => (user + turn) % 2 === half),
      );
      const rotation = keep(service, 'rotate-keys');
      const sweep = keep(service, 'reseal');
      const during = Promise.all([...(going ?? []).map(({ goOn }) => goOn()), published(service)]);
      await rotation;
      // Containers that have just read the new keys issue tokens for others that have not.
      const after = Promise.all((arriving ?? []).map(({ signIn }) => signIn()));
      if (turn % 5 === 4) await (turn === 14 ? rare.signIn() : rare.goOn());
      // The clock advances while the requests run.
      clock.advance(9);
      await Promise.all([during, after]);
      sweeps.push(await sweep);
    }
  }

  // The test was not empty: every kind rotated several times, new keys were used, and old ones retired.
  const [data, backupCode, signing] = [
    await storedKeys(service, 'data'),
    await storedKeys(service, 'backup-code'),
    await storedKeys(service, 'signing'),
  ];
  assert.ok(kidsSeen.size >= 3, `${kidsSeen.size} signing keys`);
  for (const [before, now] of [
    [first.data, data],
    [first.signing, signing],
  ] as const) {
    assert.ok(!now.some(({ id }) => id === before[0]?.id), 'the first key is retired');
    assert.ok(now.length <= 4, `${now.length} keys`);
  }
  assert.ok(backupCode.length >= 2);
  assert.ok(sweeps.filter(({ outcome }) => outcome === 'finished').length >= 3);
  assert.ok(sweeps.some(({ retired }) => (retired as string[]).length > 0));
  for (const { person } of users) {
    for (const { secret } of (await storedFactor(service, person)).authenticators) {
      assert.ok(data.some(({ id }) => id === secret.keyId));
    }
  }
});
