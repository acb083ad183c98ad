// Attacks on Cognito's own sign-in, with the unmodified client library and with single SDK calls.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AdminGetUserCommand,
  InitiateAuthCommand,
  type InitiateAuthCommandInput,
  RespondToAuthChallengeCommand,
  UpdateUserAttributesCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { outcome } from '@countersign/local-aws/testing/identity-js';
import { AuthenticationDetails } from 'amazon-cognito-identity-js';
import '../support/native-powers.ts';
import { assertProblem, challengeFor, clientOf, codeAt, text } from '../support/client.ts';
import {
  answer,
  atCognito,
  type CognitoSession,
  challenged,
  enrollFromCognito,
  fullSession,
  password,
  passwordSession,
  triggerCallsDuring,
} from '../support/cognito-sign-in.ts';
import { cognitoOf, createPerson } from '../support/people.ts';
import { unthrottled } from '../support/plans.ts';
import { serviceForTests } from '../support/service.ts';
import { storedFactor, storedRecord } from '../support/stored.ts';
import { typedForms, wideBackupCode } from '../support/typed.ts';
import { enrolledPerson, nextStep, personWithWays, wayNames } from '../support/ways.ts';

const service = await serviceForTests(unthrottled);
const client = clientOf(service);
const ClientId = service.local.cognito.clientId;
const incorrect = { name: 'NotAuthorizedException', message: 'Incorrect username or password.' };

/** Makes one SDK call without credentials, as anybody can. */
async function cognito<T>(work: (sdk: ReturnType<typeof cognitoOf>) => Promise<T>): Promise<T> {
  const sdk = cognitoOf(service);
  try {
    return await work(sdk);
  } finally {
    sdk.destroy();
  }
}
const initiate = (input: Omit<InitiateAuthCommandInput, 'ClientId'>) =>
  cognito((sdk) => sdk.send(new InitiateAuthCommand({ ClientId, ...input })));

test('a Cognito sign-in that ends while a change is being written counts as earlier', async () => {
  const person = await createPerson(service);
  const { access } = await passwordSession(service, person);
  const pending = await client.post('/v1/totp/enroll', {}, access);
  const code = codeAt(text(pending, 'secret'), service.clock.seconds());
  let raced: CognitoSession | undefined;
  service.setFault(async ({ operation, principal }) => {
    if (operation !== 'UpdateItem' || raced || !principal?.includes('Confirm')) return undefined;
    // The write is in flight. By the clock, this session is later.
    service.clock.advance(1);
    raced = await passwordSession(service, person);
    return undefined;
  });
  const body = { authenticatorId: text(pending, 'authenticatorId'), code };
  assert.equal((await client.post('/v1/totp/confirm', body, access)).status, 200);
  service.setFault(undefined);
  assert.ok(raced);
  assertProblem(await client.get('/v1/authenticators', raced.access), 401, 'token_invalid');
  assert.equal((await client.get('/v1/authenticators', access)).status, 200);
  assert.equal((await storedFactor(service, person)).authenticators.length, 1);
});

test('a Cognito sign-in that starts without SRP is refused: no code is ever the only factor', async () => {
  const { person, code } = await enrolledPerson(service, client);
  const withoutFactor = await createPerson(service);
  const before = await storedRecord(service, person);
  for (const { username } of [person, withoutFactor]) {
    const user = atCognito(service, { username });
    user.setAuthenticationFlowType('CUSTOM_AUTH');
    const details = new AuthenticationDetails({ Username: username });
    await assert.rejects(
      outcome(user, (callbacks) => user.initiateAuth(details, callbacks)),
      incorrect,
    );
    for (const more of [
      {},
      { CHALLENGE_NAME: 'CUSTOM_CHALLENGE' },
      { CHALLENGE_NAME: 'PASSWORD_VERIFIER' },
    ]) {
      const AuthParameters = { USERNAME: username, ANSWER: code(), ...more };
      await assert.rejects(initiate({ AuthFlow: 'CUSTOM_AUTH', AuthParameters }), incorrect);
    }
  }
  assert.deepEqual(await storedRecord(service, person), before);
  assert.equal(await storedRecord(service, withoutFactor), undefined);
});

test('the app client has no flow that issues tokens without the second factor', async () => {
  const { person } = await enrolledPerson(service, client);
  const before = await storedRecord(service, person);
  const SRP_A = 'abcdef123456';
  for (const [AuthFlow, AuthParameters] of [
    ['USER_PASSWORD_AUTH', { USERNAME: person.username, PASSWORD: person.password }],
    ['USER_SRP_AUTH', { USERNAME: person.username, SRP_A }],
    ['USER_AUTH', { USERNAME: person.username, PREFERRED_CHALLENGE: 'PASSWORD', PASSWORD: person.password }],
  ] as const) {
    await assert.rejects(initiate({ AuthFlow, AuthParameters }), { name: 'InvalidParameterException' });
  }
  assert.deepEqual(await storedRecord(service, person), before);
});

test('a wrong password leads to no challenge, and a right code does not make up for it', async () => {
  const { person, code } = await enrolledPerson(service, client);
  const before = await storedRecord(service, person);
  const user = atCognito(service, person);
  user.setAuthenticationFlowType('CUSTOM_AUTH');
  const details = new AuthenticationDetails({ Username: person.username, Password: 'Wrong-password-1' });
  await assert.rejects(
    outcome(user, (callbacks) => user.authenticateUser(details, callbacks)),
    incorrect,
  );
  const begun = await initiate({
    AuthFlow: 'CUSTOM_AUTH',
    AuthParameters: { USERNAME: person.username, CHALLENGE_NAME: 'SRP_A', SRP_A: 'abcdef123456' },
  });
  assert.equal(begun.ChallengeName, 'PASSWORD_VERIFIER');
  await assert.rejects(
    cognito((sdk) =>
      sdk.send(
        new RespondToAuthChallengeCommand({
          ClientId,
          Session: begun.Session,
          ChallengeName: 'CUSTOM_CHALLENGE',
          ChallengeResponses: { USERNAME: person.username, ANSWER: code() },
        }),
      ),
    ),
    { name: 'NotAuthorizedException' },
  );
  assert.deepEqual(await storedRecord(service, person), before);
});

test('a token of the app client can change neither e-mail address nor phone number', async () => {
  const { person, nextCode } = await enrolledPerson(service, client);
  const attributes = () =>
    cognito(async (sdk) => {
      const { userPoolId: UserPoolId } = service.local.cognito;
      const user = new AdminGetUserCommand({ UserPoolId, Username: person.username });
      const { UserAttributes = [] } = await sdk.send(user);
      return Object.fromEntries(UserAttributes.map(({ Name, Value }) => [Name, Value]));
    });
  const { access } = await fullSession(service, person, nextCode());
  const change = (Name: string, Value: string) =>
    cognito((sdk) =>
      sdk.send(new UpdateUserAttributesCommand({ AccessToken: access, UserAttributes: [{ Name, Value }] })),
    );
  const before = await attributes();
  assert.equal(before['email_verified'], 'true');
  for (const [name, value] of [
    ['email', 'thief@example.com'],
    ['email', ''],
    ['email_verified', 'true'],
    ['phone_number', '+15555550100'],
    ['phone_number_verified', 'true'],
    ['preferred_username', 'thief'],
    ['sub', 'another'],
  ] as const) {
    await assert.rejects(change(name, value), {
      name: 'NotAuthorizedException',
      message: 'A client attempted to write unauthorized attribute',
    });
  }
  assert.deepEqual(await attributes(), before);
  // The token itself works: it may change a harmless attribute.
  await change('nickname', 'Ada');
  assert.deepEqual(await attributes(), { ...before, nickname: 'Ada' });
});

test('metadata or an answer that names its own method, user or result has no effect', async () => {
  const { person, wrongCode, code } = await enrolledPerson(service, client);
  const other = await enrolledPerson(service, client);
  const { generation } = await storedFactor(service, person);
  const before = await storedRecord(service, other.person);
  const forged = {
    answerCorrect: 'true',
    issueTokens: 'true',
    challengeResult: 'true',
    passwordProved: 'true',
    generation,
    challenge: 'chosen-by-me',
    method: 'none',
    methods: 'none',
    skip: 'true',
    sub: other.person.sub,
    userId: other.person.sub,
    USERNAME: other.person.username,
  };
  const user = await challenged(service, person);
  const asked = await answer(user, wrongCode(), forged);
  assert.ok(asked.kind === 'custom');
  assert.deepEqual(asked.parameters, { USERNAME: person.username, methods: 'totp,backup_code' });
  assert.equal((await storedFactor(service, person)).failures, 1);
  // Another user's right code is wrong here, whatever the metadata claims.
  assert.equal((await answer(user, other.code(), forged)).kind, 'custom');
  assert.equal((await storedFactor(service, person)).failures, 2);
  await assert.rejects(answer(user, JSON.stringify(forged), forged), incorrect);

  for (const given of ['true', '{"answerCorrect":true}', `none:${code()}`, `${code()}\n{"skip":true}`]) {
    const fresh = await challenged(service, person);
    assert.equal((await answer(fresh, given, forged)).kind, 'custom');
  }
  assert.equal(
    (await storedFactor(service, person)).failures,
    2,
    'an answer that is not a code spends no attempt',
  );
  assert.deepEqual(await storedRecord(service, other.person), before);
  assert.equal((await answer(await challenged(service, person), code())).kind, 'session');
});

test('guesses spread over Cognito sign-ins and the API count against one budget', async () => {
  const { person, access, code, wrongCode } = await enrolledPerson(service, client);
  for (let failures = 1; failures <= 3; failures++) {
    const user = await challenged(service, person);
    assert.equal((await answer(user, wrongCode())).kind, 'custom');
    assert.equal((await storedFactor(service, person)).failures, failures);
  }
  const guess = await client.post('/v1/authenticators/verify', { code: wrongCode() }, access);
  assertProblem(guess, 401, 'code_rejected');
  await answer(await challenged(service, person), wrongCode());
  const { failures, lockedUntil } = await storedFactor(service, person);
  assert.equal(failures, 5);
  assert.ok(lockedUntil > service.clock.seconds());

  const locked = await storedRecord(service, person);
  const user = await challenged(service, person);
  for (let tries = 0; tries < 2; tries++) assert.equal((await answer(user, code())).kind, 'custom');
  await assert.rejects(answer(user, code()), incorrect);
  const challengeToken = await challengeFor(client, person);
  const overApi = await client.post('/v1/auth/verify', { challengeToken, code: code() });
  assertProblem(overApi, 429, 'too_many_attempts');
  assert.deepEqual(await storedRecord(service, person), locked);

  service.clock.advance(30);
  await fullSession(service, person, code());
  assert.equal((await storedFactor(service, person)).failures, 0);
});

test('many Cognito sign-ins that guess at once get at most five attempts', async () => {
  const { person, wrongCode } = await enrolledPerson(service, client);
  const users = [];
  for (let sessions = 0; sessions < 12; sessions++) users.push(await challenged(service, person));
  const wrong = wrongCode();
  const before = service.calls.length;
  await Promise.all(users.map((user) => answer(user, wrong)));
  const { failures } = await storedFactor(service, person);
  assert.ok(failures >= 1 && failures <= 5, `${failures}`);
  const heard = service.calls
    .slice(before)
    .filter(({ operation, status }) => operation === 'UpdateItem' && status === 200);
  assert.equal(heard.length, failures);
});

test('in Cognito a code typed with spaces, dashes or full-width digits is the same code', async () => {
  const { person, nextCode, backupCodes } = await enrolledPerson(service, client);
  for (const typed of Object.values(typedForms)) await fullSession(service, person, typed(nextCode()));
  await fullSession(service, person, wideBackupCode(backupCodes[0] ?? ''));
  const { failures, backupCodes: left } = await storedFactor(service, person);
  assert.deepEqual([failures, left?.digests.length], [0, 9]);
});

test('in Cognito a used code is refused however it is typed', async () => {
  const { person, nextCode, backupCodes } = await enrolledPerson(service, client);
  const used = nextCode();
  const [backupCode = ''] = backupCodes;
  await fullSession(service, person, backupCode);
  await fullSession(service, person, used);
  const again = [typedForms['a space']?.(used), typedForms['full-width digits']?.(used)];
  for (const given of [...again, wideBackupCode(backupCode)]) {
    assert.equal((await answer(await challenged(service, person), given ?? '')).kind, 'custom');
  }
  const { failures, backupFailures, backupCodes: left } = await storedFactor(service, person);
  assert.deepEqual([failures, backupFailures, left?.digests.length], [2, 1, 9]);
});

test('one code is accepted once over Cognito and all endpoints', async () => {
  const { person, ways, code } = await personWithWays(service, client);
  const spent = code();
  await fullSession(service, person, spent);
  const { authenticators } = await storedFactor(service, person);
  assert.equal(authenticators[0]?.lastStep, Math.floor(service.clock.seconds() / 30));
  assert.equal((await answer(await challenged(service, person), spent)).kind, 'custom');
  for (const way of wayNames.filter((way) => way !== 'enroll' && way !== 'disable')) {
    assertProblem(await ways[way]({ code: spent }), 401, 'code_rejected');
  }
  assert.equal((await storedFactor(service, person)).failures, 4);

  for (const way of ['verify-login', 'verify', 'enroll', 'disable'] as const) {
    const next = await personWithWays(service, client);
    const used = next.code();
    assert.ok((await next.ways[way]({ code: used })).status < 300);
    assert.equal((await answer(await challenged(service, next.person), used)).kind, 'custom', way);
    assert.equal((await storedFactor(service, next.person)).failures, 1);
  }
});

test('exactly one of twenty concurrent uses of a code in Cognito sign-ins and step-ups succeeds', async () => {
  const { person, access, code } = await enrolledPerson(service, client);
  const users = [];
  for (let sessions = 0; sessions < 10; sessions++) users.push(await challenged(service, person));
  nextStep(service);
  const right = code();
  const accepted = await Promise.all([
    ...users.map(async (user) => (await answer(user, right)).kind === 'session'),
    ...users.map(
      async () => (await client.post('/v1/authenticators/verify', { code: right }, access)).status === 200,
    ),
  ]);
  assert.equal(accepted.filter(Boolean).length, 1);
  assert.equal(
    (await storedFactor(service, person)).authenticators[0]?.lastStep,
    Math.floor(service.clock.seconds() / 30),
  );
});

test('a backup code used in Cognito is used up everywhere', async () => {
  const { person, access, backupCodes } = await enrolledPerson(service, client);
  const [backupCode = ''] = backupCodes;
  await fullSession(service, person, backupCode);
  assert.equal((await storedFactor(service, person)).backupCodes?.digests.length, 9);
  assertProblem(await client.post('/v1/authenticators/verify', { backupCode }, access), 401, 'code_rejected');
  assert.equal((await answer(await challenged(service, person), backupCode)).kind, 'custom');
  assert.equal((await storedFactor(service, person)).backupCodes?.digests.length, 9);
});

test("Cognito's tokens from before a change are void here, except in the session that proved it", async () => {
  const person = await createPerson(service);
  const earlier = await passwordSession(service, person);
  const { session, nextCode } = await enrollFromCognito(service, client, person);
  const before = await storedRecord(service, person);
  assertProblem(await client.get('/v1/authenticators', earlier.access), 401, 'token_invalid');
  const { access } = earlier;
  assertProblem(
    await client.post('/v1/authenticators/disable', { code: nextCode() }, access),
    401,
    'token_invalid',
  );
  for (const token of [session.id, session.refresh]) {
    assertProblem(await client.get('/v1/authenticators', token), 401, 'token_invalid');
  }
  assert.deepEqual(await storedRecord(service, person), before);
  assert.equal((await client.get('/v1/authenticators', session.access)).status, 200);
});

test('an unknown user gets the same steps as a known one, in number, shape and work', async () => {
  const { person } = await enrolledPerson(service, client);
  const withoutFactor = await createPerson(service);
  const stored = await storedRecord(service, person);
  const played = [];
  for (const username of [person.username, withoutFactor.username, 'person-who-is-not-there']) {
    const before = service.calls.length;
    const work = await triggerCallsDuring(service, async () => {
      await assert.rejects(password(service, { username, password: 'Wrong-password-1' }), incorrect);
    });
    const steps = service.calls
      .slice(before)
      .filter(({ service: name }) => name === 'cognito-idp')
      .map(({ operation, status }) => `${operation} ${status}`);
    const begun = await initiate({
      AuthFlow: 'CUSTOM_AUTH',
      AuthParameters: { USERNAME: username, CHALLENGE_NAME: 'SRP_A', SRP_A: 'abcdef123456' },
    });
    const parameters = Object.keys(begun.ChallengeParameters ?? {}).sort();
    played.push({ work, steps, challenge: begun.ChallengeName, parameters });
  }
  const [first = assert.fail(), ...others] = played;
  assert.deepEqual(first.steps, ['InitiateAuth 200', 'RespondToAuthChallenge 400']);
  assert.deepEqual(first.work, []);
  for (const other of others) assert.deepEqual(other, first);
  assert.deepEqual(await storedRecord(service, person), stored);
  assert.equal(await storedRecord(service, withoutFactor), undefined);
});

test('a change between the challenge and its answer voids the challenge', async () => {
  const { person, access, code, nextCode } = await enrolledPerson(service, client);
  const user = await challenged(service, person);
  assert.equal((await client.post('/v1/backup-codes/rotate', { code: code() }, access)).status, 200);
  const before = await storedRecord(service, person);
  assert.equal((await answer(user, nextCode())).kind, 'custom');
  assert.deepEqual(await storedRecord(service, person), before);
});
