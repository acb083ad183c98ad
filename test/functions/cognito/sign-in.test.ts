import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AdminSetUserPasswordCommand,
  ConfirmForgotPasswordCommand,
  ForgotPasswordCommand,
  InitiateAuthCommand,
  RespondToAuthChallengeCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { outcome } from '@countersign/local-aws/testing/identity-js';
import { type Answer, assertFields, assertProblem, clientOf, enrollPerson } from '../../support/client.ts';
import {
  answer,
  challenged,
  enrollFromCognito,
  fullSession,
  mailedCode,
  password,
  passwordSession,
  triggerCallsDuring,
} from '../../support/cognito-sign-in.ts';
import { cognitoOf, createPerson } from '../../support/people.ts';
import { serviceForTests } from '../../support/service.ts';
import { storedFactor, storedRecord } from '../../support/stored.ts';

// packages/local-aws/test/cognito/srp.test.ts also runs the library's own arithmetic.
await import('../../support/native-powers.ts');

const service = await serviceForTests();
const client = clientOf(service);
const incorrect = { name: 'NotAuthorizedException', message: 'Incorrect username or password.' };

/** Creates a user with a second factor. `session` is the Cognito session that proved it. */
async function enrolledAtCognito() {
  const person = await createPerson(service);
  return { person, ...(await enrollFromCognito(service, client, person)) };
}

async function enrolled() {
  const person = await createPerson(service);
  return { person, ...(await enrollPerson(service, client, person)) };
}

test('a user who enrolled with the pool’s own token signs in with a code of the app', async () => {
  const { person, confirmation, code } = await enrolledAtCognito();
  assertFields(confirmation, 200, ['authenticatorId', 'backupCodes']);
  const asked = await password(service, person);
  assert.ok(asked.kind === 'custom');
  assert.deepEqual(asked.parameters, { USERNAME: person.username, methods: 'totp,backup_code' });
  const signedIn = await answer(asked.user, code());
  assert.equal(signedIn.kind, 'session');
});

test('three wrong answers end the sign-in', async () => {
  const { person, code, wrongCode } = await enrolled();
  const user = await challenged(service, person);
  assert.equal((await answer(user, wrongCode())).kind, 'custom');
  assert.equal((await answer(user, wrongCode())).kind, 'custom');
  await assert.rejects(answer(user, wrongCode()), incorrect);
  await assert.rejects(answer(user, code()), { name: 'NotAuthorizedException' });
  assert.equal((await storedRecord(service, person))?.['f']?.N, '3');
});

test('one code is accepted once, over Cognito and the API', async () => {
  const { person, access, code } = await enrolled();
  const spent = code();
  await fullSession(service, person, spent);
  assert.equal((await answer(await challenged(service, person), spent)).kind, 'custom');
  assertProblem(
    await client.post('/v1/authenticators/verify', { code: spent }, access),
    401,
    'code_rejected',
  );
});

test('wrong answers count over all sign-ins, and the lock holds in Cognito and the API alike', async () => {
  const { person, access, code, nextCode, wrongCode } = await enrolled();
  const first = await challenged(service, person);
  await answer(first, wrongCode());
  await answer(first, wrongCode());
  await assert.rejects(answer(first, wrongCode()), incorrect);
  const second = await challenged(service, person);
  await answer(second, wrongCode());
  await answer(second, wrongCode());
  await assert.rejects(answer(second, code()), incorrect);
  const locked = await client.post('/v1/authenticators/verify', { code: code() }, access);
  assertProblem(locked, 429, 'too_many_attempts');
  await fullSession(service, person, nextCode());
});

test('an answer that is neither a code nor a backup code is refused and spends no attempt', async () => {
  const { person } = await enrolled();
  const before = await storedRecord(service, person);
  const user = await challenged(service, person);
  for (const given of ['abc', '１２３４５']) assert.equal((await answer(user, given)).kind, 'custom');
  await assert.rejects(answer(user, '0'.repeat(2000)), incorrect);
  assert.deepEqual(await storedRecord(service, person), before);
});

test('metadata and further responses of the client change nothing', async () => {
  const { person, wrongCode } = await enrolled();
  const forged = {
    passwordProved: 'true',
    generation: (await storedRecord(service, person))?.['g']?.S ?? 'g',
    challenge: 'mine',
    answerCorrect: 'true',
    issueTokens: 'true',
    methods: 'none',
  };
  const user = await challenged(service, person);
  const again = await answer(user, wrongCode(), forged);
  assert.ok(again.kind === 'custom');
  assert.deepEqual(again.parameters, { USERNAME: person.username, methods: 'totp,backup_code' });

  const cognito = cognitoOf(service);
  const { clientId: ClientId } = service.local.cognito;
  const asked = await cognito.send(
    new InitiateAuthCommand({
      ClientId,
      AuthFlow: 'CUSTOM_AUTH',
      AuthParameters: { USERNAME: person.username, CHALLENGE_NAME: 'SRP_A', SRP_A: 'abcdef123456' },
      ClientMetadata: forged,
    }),
  );
  await assert.rejects(
    cognito.send(
      new RespondToAuthChallengeCommand({
        ClientId,
        ChallengeName: 'CUSTOM_CHALLENGE',
        Session: asked.Session,
        ChallengeResponses: { USERNAME: person.username, ANSWER: wrongCode(), ...forged },
        ClientMetadata: forged,
      }),
    ),
    { name: 'NotAuthorizedException' },
  );
  cognito.destroy();
});

test('a right code is refused unless the challenge is Countersign’s, current and this user’s', async () => {
  const { person, code } = await enrolled();
  const other = await enrolled();
  const challengeOf = async (who: { sub: string }) => {
    const session = ['SRP_A', 'PASSWORD_VERIFIER'].map((challengeName) => ({
      challengeName,
      challengeResult: true,
    }));
    const created = await service.invoke('cognito/create-auth-challenge', {
      request: { userAttributes: { sub: who.sub }, challengeName: 'CUSTOM_CHALLENGE', session },
      response: {},
    });
    assert.ok(created.ok);
    return (created.payload as { response: { privateChallengeParameters: Record<string, string> } }).response
      .privateChallengeParameters;
  };
  const hidden = await challengeOf(person);
  const judged = async (privateChallengeParameters: Record<string, string>) => {
    const verified = await service.invoke('cognito/verify-auth-challenge-response', {
      request: { userAttributes: { sub: person.sub }, privateChallengeParameters, challengeAnswer: code() },
      response: { answerCorrect: null },
    });
    assert.ok(verified.ok);
    return (verified.payload as { response: { answerCorrect: boolean } }).response.answerCorrect;
  };
  const before = await storedRecord(service, person);
  const { passwordProved: _, ...unproved } = hidden;
  for (const forged of [{}, unproved, { ...hidden, generation: 'other' }, await challengeOf(other.person)]) {
    assert.equal(await judged(forged), false);
  }
  assert.deepEqual(await storedRecord(service, person), before, 'none of these spends an attempt');
  assert.equal(await judged(hidden), true);
  service.clock.advance(30);
  assert.equal(await judged(hidden), false, 'a challenge is answered once, even with a fresh code');
});

test('a temporary password does not bypass the second factor: it is replaced, and tokens need both factors', async () => {
  const { person, code } = await enrolled();
  const cognito = cognitoOf(service);
  const temporary = 'Temporary-horse-7';
  await cognito.send(
    new AdminSetUserPasswordCommand({
      UserPoolId: service.local.cognito.userPoolId,
      Username: person.username,
      Password: temporary,
      Permanent: false,
    }),
  );
  cognito.destroy();
  const asked = await password(service, { ...person, password: temporary });
  assert.equal(asked.kind, 'newPassword');
  const chosen = 'Chosen-horse-8-long';
  await assert.rejects(
    outcome(asked.user, (callbacks) => asked.user.completeNewPasswordChallenge(chosen, {}, callbacks)),
    (error: Error) =>
      error.name === 'UserLambdaValidationException' && /Sign in again with it/.test(error.message),
  );
  await fullSession(service, { ...person, password: chosen }, code());
});

test('a user without a second factor replaces a temporary password as usual', async () => {
  const person = await createPerson(service, { permanent: false });
  const asked = await password(service, person);
  assert.equal(asked.kind, 'newPassword');
  const signedIn = await outcome(asked.user, (callbacks) =>
    asked.user.completeNewPasswordChallenge('Chosen-horse-8-long', {}, callbacks),
  );
  assert.equal(signedIn.kind, 'session');
});

test('with warm containers a sign-in costs four reads, one write and no KMS call', async () => {
  const { person, code, nextCode } = await enrolled();
  await fullSession(service, person, code());
  const right = nextCode();
  assert.deepEqual(await triggerCallsDuring(service, () => fullSession(service, person, right)), [
    'Define: GetItem',
    'Create: GetItem',
    'Verify: GetItem',
    'Verify: UpdateItem',
    'PreToken: GetItem',
  ]);
});

test('Cognito’s tokens from before a change are void, except in the session that proved it, and an ID token never counts', async () => {
  const person = await createPerson(service);
  const before = await passwordSession(service, person);
  const { session, nextCode } = await enrollFromCognito(service, client, person);
  assertProblem(await client.get('/v1/authenticators', before.access), 401, 'token_invalid');
  assert.equal((await client.get('/v1/authenticators', session.access)).status, 200);
  const after = await fullSession(service, person, nextCode());
  assert.equal((await client.get('/v1/authenticators', after.access)).status, 200);
  assertProblem(await client.get('/v1/authenticators', after.id), 401, 'token_invalid');
});

test('a token from the same second as a change is void', async () => {
  const { person, session, nextCode } = await enrolledAtCognito();
  // The clock runs. On a slow machine the second may end before the sign-in does.
  for (let round = 0; round < 10; round++) {
    const rotated = await client.post('/v1/backup-codes/rotate', { code: nextCode() }, session.access);
    const [backupCode = ''] = rotated.body['backupCodes'] as string[];
    const beside = await fullSession(service, person, backupCode);
    const { changedAt } = await storedFactor(service, person);
    if (Number(beside.claims.access['auth_time']) > changedAt) continue;
    assertProblem(await client.get('/v1/authenticators', beside.access), 401, 'token_invalid');
    return;
  }
  assert.fail('no sign-in ended in time');
});

async function resetPassword(person: { username: string }): Promise<string> {
  const cognito = cognitoOf(service);
  const { clientId: ClientId } = service.local.cognito;
  const Password = 'Another-horse-8-long';
  try {
    await cognito.send(new ForgotPasswordCommand({ ClientId, Username: person.username }));
    const ConfirmationCode = mailedCode(service, person);
    await cognito.send(
      new ConfirmForgotPasswordCommand({ ClientId, Username: person.username, ConfirmationCode, Password }),
    );
    return Password;
  } finally {
    cognito.destroy();
  }
}

test('a password reset by mail ends Countersign’s own sessions and keeps the second factor', async () => {
  const person = await createPerson(service);
  const { access, refresh, nextCode } = await enrollPerson(service, client, person);
  const chosen = await resetPassword(person);
  assertProblem(await client.get('/v1/authenticators', access), 401, 'token_invalid');
  const refreshed = await client.post('/v1/auth/refresh', { refreshToken: refresh });
  assertProblem(refreshed, 401, 'refresh_token_invalid');
  await fullSession(service, { ...person, password: chosen }, nextCode());
});

test('a concurrent write to the record does not keep sessions alive across a password reset', async () => {
  const person = await createPerson(service);
  const { access, wrongCode } = await enrollPerson(service, client, person);
  let guess: Promise<unknown> | undefined;
  service.setFault(({ operation, principal }) => {
    if (guess || operation !== 'UpdateItem' || !principal?.includes('-CognitoPostConf')) return undefined;
    guess = client.post('/v1/authenticators/verify', { code: wrongCode() }, access);
    return 'hang';
  });
  await resetPassword(person).finally(() => service.setFault(undefined));
  assertProblem((await guess) as Answer, 401, 'code_rejected');
  assertProblem(await client.get('/v1/authenticators', access), 401, 'token_invalid');
});
