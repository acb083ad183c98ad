import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AdminCreateUserCommand,
  AdminDisableUserCommand,
  AdminInitiateAuthCommand,
  AdminRespondToAuthChallengeCommand,
  type CognitoIdentityProviderClient,
  InitiateAuthCommand,
  RespondToAuthChallengeCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { libraryUser, outcome, signInWithSrp } from '../../testing/identity-js.ts';
import '../../testing/native-powers.ts';
import {
  all,
  named,
  password,
  poolArn,
  poolId,
  run,
  type Trigger,
  type TriggerEvent,
} from '../../testing/cognito.ts';

const incorrect = named('NotAuthorizedException', 'Incorrect username or password.');

/** Password first, then a riddle with three tries. */
const define: Trigger = (event) => {
  const session = event.request.session ?? [];
  const last = session.at(-1);
  const wrong = session.filter((step) => step.challengeName === 'CUSTOM_CHALLENGE' && !step.challengeResult);
  const passed = last?.challengeName === 'CUSTOM_CHALLENGE' && last.challengeResult;
  Object.assign(event.response, {
    issueTokens: passed,
    failAuthentication: !passed && wrong.length >= 3,
    challengeName: last?.challengeName === 'SRP_A' ? 'PASSWORD_VERIFIER' : 'CUSTOM_CHALLENGE',
  });
  return event;
};

const create: Trigger = (event) => {
  event.response = {
    publicChallengeParameters: { methods: 'riddle' },
    privateChallengeParameters: { answer: '42' },
    challengeMetadata: 'RIDDLE',
  };
  return event;
};

const verify: Trigger = (event) => {
  const kept = event.request['privateChallengeParameters'] as Record<string, string>;
  event.response['answerCorrect'] = event.request['challengeAnswer'] === kept['answer'];
  return event;
};

const triggers = {
  DefineAuthChallenge: define,
  CreateAuthChallenge: create,
  VerifyAuthChallengeResponse: verify,
};

const steps = (event: TriggerEvent | undefined) =>
  event?.request.session?.map((step) => `${step.challengeName} ${step.challengeResult}`);

test('the unmodified client library plays password, wrong answer, right answer', async (t) => {
  const { endpoint, addUser, events } = await run(t, { triggers });
  await addUser('alice', { email: 'alice@example.com' });
  const user = libraryUser(endpoint, 'alice');
  const asked = await signInWithSrp(user, password, 'CUSTOM_AUTH');
  assert.ok(asked.kind === 'custom');
  assert.equal(asked.parameters['methods'], 'riddle');
  assert.equal(asked.parameters['answer'], undefined);
  const answer = (given: string) =>
    outcome(user, (callbacks) => user.sendCustomChallengeAnswer(given, callbacks, { device: 'test' }));
  assert.equal((await answer('41')).kind, 'custom');
  assert.equal((await answer('42')).kind, 'session');

  assert.deepEqual(
    events.map((event) => event.triggerSource.split('_')[0]),
    [
      'DefineAuthChallenge',
      'DefineAuthChallenge',
      'CreateAuthChallenge',
      'VerifyAuthChallengeResponse',
      'DefineAuthChallenge',
      'CreateAuthChallenge',
      'VerifyAuthChallengeResponse',
      'DefineAuthChallenge',
    ],
  );
  assert.deepEqual(steps(events[0]), ['SRP_A true']);
  assert.deepEqual(steps(events.at(-1)), [
    'SRP_A true',
    'PASSWORD_VERIFIER true',
    'CUSTOM_CHALLENGE false',
    'CUSTOM_CHALLENGE true',
  ]);
  const [first] = events;
  assert.equal(first?.version, '1');
  assert.equal(first?.userPoolId, poolId);
  assert.equal(first?.request['userNotFound'], false);
  assert.equal(first?.request['clientMetadata'], undefined);
  assert.deepEqual(events.at(-1)?.request['clientMetadata'], { device: 'test' });
  const attributes = first?.request['userAttributes'] as Record<string, string>;
  assert.equal(attributes['email'], 'alice@example.com');
  assert.equal(attributes['cognito:user_status'], 'CONFIRMED');
  assert.ok(attributes['sub']);
});

test('a wrong password ends a custom sign-in without asking define again', async (t) => {
  const { endpoint, addUser, events } = await run(t, { triggers });
  await addUser('alice');
  await assert.rejects(
    signInWithSrp(libraryUser(endpoint, 'alice'), 'Wrong-horse-7', 'CUSTOM_AUTH'),
    incorrect,
  );
  assert.equal(events.length, 1);
});

test('define ends the sign-in after three wrong answers', async (t) => {
  const { endpoint, addUser } = await run(t, { triggers });
  await addUser('alice');
  const user = libraryUser(endpoint, 'alice');
  await signInWithSrp(user, password, 'CUSTOM_AUTH');
  const answer = () => outcome(user, (callbacks) => user.sendCustomChallengeAnswer('0', callbacks));
  await answer();
  await answer();
  await assert.rejects(answer(), incorrect);
});

test('an unknown user is played through, and is never signed in whatever define says', async (t) => {
  const { endpoint, events, admin } = await run(t, {
    triggers,
    clients: { app: all, open: { ...all, PreventUserExistenceErrors: 'LEGACY' } },
  });
  await assert.rejects(signInWithSrp(libraryUser(endpoint, 'nobody'), password, 'CUSTOM_AUTH'), incorrect);
  assert.equal(events.length, 1);
  assert.equal(events[0]?.request['userNotFound'], true);
  assert.deepEqual(events[0]?.request['userAttributes'], {});

  const start = (ClientId: string) =>
    admin.send(
      new InitiateAuthCommand({ ClientId, AuthFlow: 'CUSTOM_AUTH', AuthParameters: { USERNAME: 'nobody' } }),
    );
  await assert.rejects(start('open'), named('UserNotFoundException'));
  const asked = await start('app');
  assert.equal(asked.ChallengeName, 'CUSTOM_CHALLENGE');
  const respond = () =>
    admin.send(
      new RespondToAuthChallengeCommand({
        ClientId: 'app',
        ChallengeName: 'CUSTOM_CHALLENGE',
        Session: asked.Session,
        ChallengeResponses: { USERNAME: 'nobody', ANSWER: '42' },
      }),
    );
  await assert.rejects(respond(), incorrect);
  assert.equal(events.at(-1)?.triggerSource, 'DefineAuthChallenge_Authentication');
  await assert.rejects(respond(), named('NotAuthorizedException', /only be used once/));
});

test('a session cannot be answered for somebody else, by another client, or as another challenge', async (t) => {
  const { admin, addUser } = await run(t, { triggers, clients: { app: all, other: all } });
  await addUser('alice');
  await addUser('mallory');
  const respond = async (change: {
    ClientId?: string;
    username?: string;
    challenge?: 'NEW_PASSWORD_REQUIRED';
  }) => {
    const { Session } = await admin.send(
      new InitiateAuthCommand({
        ClientId: 'app',
        AuthFlow: 'CUSTOM_AUTH',
        AuthParameters: { USERNAME: 'alice' },
      }),
    );
    return admin.send(
      new RespondToAuthChallengeCommand({
        ClientId: change.ClientId ?? 'app',
        ChallengeName: change.challenge ?? 'CUSTOM_CHALLENGE',
        Session,
        ChallengeResponses: {
          USERNAME: change.username ?? 'alice',
          ANSWER: '42',
          NEW_PASSWORD: 'Another-horse-8',
        },
      }),
    );
  };
  const invalid = named('NotAuthorizedException', /Invalid session/);
  await assert.rejects(respond({ username: 'mallory' }), invalid);
  await assert.rejects(respond({ ClientId: 'other' }), invalid);
  await assert.rejects(respond({ challenge: 'NEW_PASSWORD_REQUIRED' }), invalid);
  assert.ok((await respond({})).AuthenticationResult);
});

test('the Admin forms play the same flow, each for whom IAM allows it', async (t) => {
  const { admin, addUser, clientFor, events } = await run(t, { triggers });
  await addUser('alice');
  const starter = clientFor([
    { Effect: 'Allow', Action: 'cognito-idp:AdminInitiateAuth', Resource: poolArn },
  ]);
  const { Session } = await starter.send(
    new AdminInitiateAuthCommand({
      UserPoolId: poolId,
      ClientId: 'app',
      AuthFlow: 'CUSTOM_AUTH',
      AuthParameters: { USERNAME: 'alice' },
      ClientMetadata: { at: 'the start' },
    }),
  );
  const respond = (client: CognitoIdentityProviderClient) =>
    client.send(
      new AdminRespondToAuthChallengeCommand({
        UserPoolId: poolId,
        ClientId: 'app',
        ChallengeName: 'CUSTOM_CHALLENGE',
        Session,
        ChallengeResponses: { USERNAME: 'alice', ANSWER: '42' },
        ClientMetadata: { at: 'the answer' },
      }),
    );
  await assert.rejects(
    respond(starter),
    named('AccessDeniedException', /cognito-idp:AdminRespondToAuthChallenge/),
  );
  assert.ok((await respond(admin)).AuthenticationResult?.AccessToken);
  assert.equal(events[0]?.request['clientMetadata'], undefined);
  assert.deepEqual(events.at(-1)?.request['clientMetadata'], { at: 'the answer' });
});

test('a user who is disabled in the middle is refused', async (t) => {
  const { endpoint, admin, addUser } = await run(t, { triggers });
  await addUser('alice');
  const user = libraryUser(endpoint, 'alice');
  await signInWithSrp(user, password, 'CUSTOM_AUTH');
  await admin.send(new AdminDisableUserCommand({ UserPoolId: poolId, Username: 'alice' }));
  await assert.rejects(
    outcome(user, (callbacks) => user.sendCustomChallengeAnswer('42', callbacks)),
    named('NotAuthorizedException', 'User is disabled.'),
  );
});

test('a new password instead of a temporary one signs in past the custom challenges, as Cognito does', async (t) => {
  const { endpoint, admin, events } = await run(t, { triggers });
  await admin.send(
    new AdminCreateUserCommand({ UserPoolId: poolId, Username: 'alice', TemporaryPassword: password }),
  );
  const user = libraryUser(endpoint, 'alice');
  assert.equal((await signInWithSrp(user, password, 'CUSTOM_AUTH')).kind, 'newPassword');
  const done = await outcome(user, (callbacks) =>
    user.completeNewPasswordChallenge('Another-horse-8', {}, callbacks),
  );
  assert.equal(done.kind, 'session');
  assert.equal(events.length, 1);
});

test('what triggers answer wrongly is an error by its documented name', async (t) => {
  let answer: Trigger = define;
  const { admin, addUser } = await run(t, {
    triggers: { ...triggers, DefineAuthChallenge: (event) => answer(event) },
  });
  await addUser('alice');
  const start = () =>
    admin.send(
      new InitiateAuthCommand({
        ClientId: 'app',
        AuthFlow: 'CUSTOM_AUTH',
        AuthParameters: { USERNAME: 'alice' },
      }),
    );
  answer = () => {
    throw new Error('no luck');
  };
  await assert.rejects(
    start(),
    named('UserLambdaValidationException', 'DefineAuthChallenge failed with error no luck.'),
  );
  const invalid = named('InvalidLambdaResponseException');
  for (const bad of [
    () => undefined,
    () => 'text',
    (event: TriggerEvent) => ({ ...event, response: {} }),
    (event: TriggerEvent) => ({ ...event, response: { challengeName: 'PASSWORD_VERIFIER' } }),
  ]) {
    answer = bad;
    await assert.rejects(start(), invalid);
  }
  const none = await run(t, {});
  await none.addUser('alice');
  await assert.rejects(
    none.admin.send(
      new InitiateAuthCommand({
        ClientId: 'app',
        AuthFlow: 'CUSTOM_AUTH',
        AuthParameters: { USERNAME: 'alice' },
      }),
    ),
    named('InvalidParameterException', /not configured/),
  );
});
