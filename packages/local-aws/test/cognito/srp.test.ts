import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AdminSetUserPasswordCommand,
  InitiateAuthCommand,
  RespondToAuthChallengeCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { all, named, password, poolId, run } from '../../testing/cognito.ts';
import { libraryUser, signInWithSrp } from '../../testing/identity-js.ts';

const incorrect = named('NotAuthorizedException', 'Incorrect username or password.');

test('the unmodified client library signs in with SRP, and a wrong password does not', async (t) => {
  const { endpoint, addUser } = await run(t);
  await addUser('alice');
  const signedIn = await signInWithSrp(libraryUser(endpoint, 'alice'), password);
  assert.equal(signedIn.kind, 'session');
  await assert.rejects(signInWithSrp(libraryUser(endpoint, 'alice'), 'Wrong-horse-7'), incorrect);
});

test('SRP works for many passwords, salts and exchanges', async (t) => {
  const { endpoint, admin, addUser } = await run(t);
  await addUser('alice');
  for (let round = 0; round < 4; round += 1) {
    const secret = `Päss-wörd ${round}`;
    await admin.send(
      new AdminSetUserPasswordCommand({
        UserPoolId: poolId,
        Username: 'alice',
        Password: secret,
        Permanent: true,
      }),
    );
    assert.equal((await signInWithSrp(libraryUser(endpoint, 'alice'), secret)).kind, 'session');
  }
});

test('wrong passwords by SRP count towards the lockout', async (t) => {
  const { endpoint, addUser, clock } = await run(t);
  await addUser('alice');
  // The first lock is one second long.
  clock.stop();
  for (let failure = 1; failure <= 5; failure += 1) {
    await assert.rejects(signInWithSrp(libraryUser(endpoint, 'alice'), 'Wrong-horse-7'), incorrect);
  }
  await assert.rejects(
    signInWithSrp(libraryUser(endpoint, 'alice'), password),
    named('NotAuthorizedException', 'Password attempts exceeded'),
  );
});

test('an unknown user is given a challenge that is always the same, and then the same refusal', async (t) => {
  const { endpoint, admin, addUser } = await run(t, {
    clients: { app: all, open: { ...all, PreventUserExistenceErrors: 'LEGACY' } },
  });
  await addUser('alice');
  const challenge = async (username: string, app = 'app') =>
    (
      await admin.send(
        new InitiateAuthCommand({
          ClientId: app,
          AuthFlow: 'USER_SRP_AUTH',
          AuthParameters: { USERNAME: username, SRP_A: 'abcdef' },
        }),
      )
    ).ChallengeParameters ?? {};
  const first = await challenge('nobody');
  const second = await challenge('nobody');
  assert.equal(first['SALT'], second['SALT']);
  assert.equal(first['USER_ID_FOR_SRP'], second['USER_ID_FOR_SRP']);
  assert.notEqual(first['SRP_B'], second['SRP_B']);
  assert.notEqual(first['SALT'], (await challenge('somebody'))['SALT']);
  const known = await challenge('alice');
  assert.deepEqual(Object.keys(first), Object.keys(known));
  assert.equal(first['SALT']?.length, known['SALT']?.length);
  assert.equal(first['SECRET_BLOCK']?.length, known['SECRET_BLOCK']?.length);
  await assert.rejects(signInWithSrp(libraryUser(endpoint, 'nobody'), password), incorrect);
  await assert.rejects(challenge('nobody', 'open'), named('UserNotFoundException'));
});

test('an A that is zero modulo N is refused', async (t) => {
  const { admin, addUser } = await run(t);
  await addUser('alice');
  for (const a of ['0', '00', 'not hexadecimal']) {
    await assert.rejects(
      admin.send(
        new InitiateAuthCommand({
          ClientId: 'app',
          AuthFlow: 'USER_SRP_AUTH',
          AuthParameters: { USERNAME: 'alice', SRP_A: a },
        }),
      ),
      named('InvalidParameterException'),
    );
  }
});

test('a session is of one use, and ends after three minutes', async (t) => {
  const { admin, addUser, clock } = await run(t);
  await addUser('alice');
  const start = () =>
    admin.send(
      new InitiateAuthCommand({
        ClientId: 'app',
        AuthFlow: 'USER_SRP_AUTH',
        AuthParameters: { USERNAME: 'alice', SRP_A: 'abcdef' },
      }),
    );
  const respond = ({ Session, ChallengeParameters = {} }: Awaited<ReturnType<typeof start>>) =>
    admin.send(
      new RespondToAuthChallengeCommand({
        ClientId: 'app',
        ChallengeName: 'PASSWORD_VERIFIER',
        Session,
        ChallengeResponses: {
          USERNAME: 'alice',
          PASSWORD_CLAIM_SECRET_BLOCK: ChallengeParameters['SECRET_BLOCK'] ?? '',
          PASSWORD_CLAIM_SIGNATURE: Buffer.alloc(32).toString('base64'),
          TIMESTAMP: 'Tue Mar 3 10:11:12 UTC 2026',
        },
      }),
    );
  const challenge = await start();
  await assert.rejects(respond(challenge), incorrect);
  await assert.rejects(respond(challenge), named('NotAuthorizedException', /only be used once/));
  const late = await start();
  clock.advance(181);
  await assert.rejects(respond(late), named('NotAuthorizedException', /session is expired/));
});

test('a pool that demands MFA lets nobody in', async (t) => {
  const { admin, addUser } = await run(t, { properties: { MfaConfiguration: 'ON' } });
  await addUser('alice');
  const challenged = await admin.send(
    new InitiateAuthCommand({
      ClientId: 'app',
      AuthFlow: 'USER_PASSWORD_AUTH',
      AuthParameters: { USERNAME: 'alice', PASSWORD: password },
    }),
  );
  assert.equal(challenged.ChallengeName, 'MFA_SETUP');
  await assert.rejects(
    admin.send(
      new RespondToAuthChallengeCommand({
        ClientId: 'app',
        ChallengeName: 'MFA_SETUP',
        Session: challenged.Session,
        ChallengeResponses: { USERNAME: 'alice' },
      }),
    ),
    named('InvalidParameterException', /MFA_SETUP cannot be answered here/),
  );
});
