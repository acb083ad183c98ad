// Every third-party client library plays every case of Cognito's sign-in.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose';
import { clientOf } from '../../support/client.ts';
import { type CognitoClient, cognitoClients, type Standing } from '../../support/cognito-clients.ts';
import { triggerCallsDuring } from '../../support/cognito-sign-in.ts';
import { createPerson } from '../../support/people.ts';
import { serviceForTests } from '../../support/service.ts';
import { storedFactor, storedRecord } from '../../support/stored.ts';
import { enrolledPerson } from '../../support/ways.ts';

// packages/local-aws/test/cognito/srp.test.ts also runs the library's own arithmetic.
await import('../../support/native-powers.ts');

const service = await serviceForTests();
const api = clientOf(service);
const { endpoint, userPoolId, clientId } = service.local.cognito;
const keys = createRemoteJWKSet(new URL(`${endpoint}/${userPoolId}/.well-known/jwks.json`));

const refused = {
  kind: 'refused',
  name: 'NotAuthorizedException',
  message: 'Incorrect username or password.',
};
const wrongPassword = 'Wrong-password-1';
const unknown = 'person-who-is-not-there';

type Someone = Awaited<ReturnType<typeof createPerson>>;

const cases: Record<string, (client: CognitoClient) => Promise<void>> = {
  async 'not enrolled'(client) {
    const person = await createPerson(service);
    const claims = await assertSignedIn(await client.start(person.username, person.password), person);
    for (const claim of ['amr', 'acr', 'enrollment_required']) {
      assert.equal(claims.access[claim], undefined);
      assert.equal(claims.id[claim], undefined);
    }
    assert.equal(await storedRecord(service, person), undefined);
  },

  async enrolled(client) {
    const { person, code } = await enrolledPerson(service, api);
    assertAsked(await client.start(person.username, person.password), person);
    await assertSignedIn(await client.answer(code()), person);
    await assertKept(person, { failures: 0, backupCodes: 10 });
  },

  async 'wrong, then right'(client) {
    const { person, code, wrongCode } = await enrolledPerson(service, api);
    assertAsked(await client.start(person.username, person.password), person);
    assertAsked(await client.answer(wrongCode()), person);
    await assertKept(person, { failures: 1, backupCodes: 10 });
    await assertSignedIn(await client.answer(code()), person);
    await assertKept(person, { failures: 0, backupCodes: 10 });
  },

  async 'backup code'(client) {
    const { person, backupCodes } = await enrolledPerson(service, api);
    const [backupCode = ''] = backupCodes;
    await client.start(person.username, person.password);
    await assertSignedIn(await client.answer(backupCode), person);
    await assertKept(person, { failures: 0, backupCodes: 9 });
    await client.start(person.username, person.password);
    assertAsked(await client.answer(backupCode), person);
    await assertKept(person, { failures: 0, backupCodes: 9 });
    assert.equal((await storedFactor(service, person)).backupFailures, 1);
  },

  async locked(client) {
    const { person, code, nextCode, wrongCode, backupCodes } = await enrolledPerson(service, api);
    const [backupCode = ''] = backupCodes;
    const answered = async (given: string[]) => {
      assertAsked(await client.start(person.username, person.password), person);
      const standings: Standing[] = [];
      for (const one of given) standings.push(await client.answer(one));
      return standings;
    };
    const wrong = wrongCode();
    const refusals = await answered([wrong, wrong, wrong]);
    assert.deepEqual(refusals[2], refused);
    await answered([wrong, wrong]);
    await assertKept(person, { failures: 5, backupCodes: 10 });
    assert.ok((await storedFactor(service, person)).lockedUntil > service.clock.seconds());

    const locked = await storedRecord(service, person);
    // The right code comes last, where a wrong one would end the sign-in. The two look the same.
    assert.deepEqual(await answered([wrong, wrong, code()]), refusals);
    assert.deepEqual(await storedRecord(service, person), locked);
    // The lock does not apply to backup codes.
    assertAsked(await client.start(person.username, person.password), person);
    await assertSignedIn(await client.answer(backupCode), person);
    await assertKept(person, { failures: 5, backupCodes: 9 });
    service.clock.advance(30);

    assertAsked(await client.start(person.username, person.password), person);
    await assertSignedIn(await client.answer(nextCode()), person);
    await assertKept(person, { failures: 0, backupCodes: 9 });
  },

  async 'unknown user'(client) {
    const { person } = await enrolledPerson(service, api);
    const before = await storedRecord(service, person);
    const unenrolled = await createPerson(service);
    const [known, ...others] = await inTurn([person.username, unenrolled.username, unknown], (username) =>
      client.start(username, wrongPassword),
    );
    assert.deepEqual(known?.standing, refused);
    assert.equal(known.calls.length, 2, 'Cognito asked for the password');
    assert.deepEqual(known.work, []);
    for (const other of others) assert.deepEqual(other, known);
    assert.deepEqual(await storedRecord(service, person), before);
  },

  async 'CUSTOM_AUTH without SRP'(client) {
    const { person } = await enrolledPerson(service, api);
    const before = await storedRecord(service, person);
    const unenrolled = await createPerson(service);
    const played = await inTurn([person.username, unenrolled.username, unknown], (username) =>
      client.startWithoutSrp(username),
    );
    for (const { standing, calls, work } of played) {
      assert.deepEqual(standing, refused);
      assert.equal(calls.length, 1, 'Cognito asked for nothing');
      assert.deepEqual(work, []);
    }
    assert.deepEqual(await storedRecord(service, person), before);
    assert.equal(await storedRecord(service, unenrolled), undefined);
  },
};

for (const [name, client] of Object.entries(cognitoClients(service))) {
  for (const [what, play] of Object.entries(cases)) test(`${name}: ${what}`, () => play(client));
}

/** Asserts that Cognito asks for the second factor and reveals only how to prove it. */
function assertAsked(standing: Standing, { username }: Someone): void {
  assert.deepEqual(standing, {
    kind: 'asked',
    parameters: { USERNAME: username, methods: 'totp,backup_code' },
  });
}

/** Asserts that the pool signed tokens for this user and this app client, and returns their claims. */
async function assertSignedIn(
  standing: Standing,
  { username, sub }: Someone,
): Promise<{ access: JWTPayload; id: JWTPayload }> {
  assert.ok(standing.kind === 'signed in', JSON.stringify(standing));
  const claimsOf = async (token: string) =>
    (await jwtVerify(token, keys, { currentDate: new Date(service.clock.now()) })).payload;
  const access = await claimsOf(standing.access);
  const id = await claimsOf(standing.id);
  assert.deepEqual(
    [access.sub, access['username'], access['client_id'], access['token_use']],
    [sub, username, clientId, 'access'],
  );
  assert.deepEqual(
    [id.sub, id['cognito:username'], id.aud, id['token_use']],
    [sub, username, clientId, 'id'],
  );
  return { access, id };
}

async function assertKept(
  person: Someone,
  expected: { failures: number; backupCodes: number },
): Promise<void> {
  const { failures, backupCodes } = await storedFactor(service, person);
  assert.deepEqual({ failures, backupCodes: backupCodes?.digests.length }, expected);
}

/** Runs the step for each name and returns the outcome, Cognito's responses and the triggers' calls. */
async function inTurn(usernames: string[], step: (username: string) => Promise<Standing>) {
  const played = [];
  for (const username of usernames) {
    const before = service.calls.length;
    let standing: Standing | undefined;
    const work = await triggerCallsDuring(service, async () => {
      standing = await step(username);
    });
    const calls = service.calls
      .slice(before)
      .filter(({ service: name }) => name === 'cognito-idp')
      .map(({ operation, status }) => `${operation} ${status}`);
    played.push({ standing, calls, work });
  }
  return played;
}
