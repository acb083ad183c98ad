// Input that no client, issuer or pool sends if it follows the rules: odd names, odd times, odd histories.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Route, routes } from '../../functions/routes.ts';
import { assertProblem, challengeFor, clientOf, text } from '../support/client.ts';
import { afterPassword, notRight, passwordProved, withoutPassword } from '../support/hostile-histories.ts';
import { createPerson } from '../support/people.ts';
import { unthrottled } from '../support/plans.ts';
import { serviceForTests } from '../support/service.ts';
import { storedFactor, storedItem, storedRecord } from '../support/stored.ts';
import { startTrustedIssuer } from '../support/trusted-issuer.ts';
import { enrolledPerson } from '../support/ways.ts';

const partner = await startTrustedIssuer('partner');
const service = await serviceForTests({ ...unthrottled, trustedIssuers: [partner.trusted] });
const client = clientOf(service);

/** Returns a token of the trusted issuer for a user who signed in at `authTime`. */
function theirToken(sub: string, authTime: unknown): Promise<string> {
  return partner.token(sub, service.clock.seconds(), { auth_time: authTime });
}

test("another issuer's token is refused if its sign-in time is in the future or in milliseconds, and nothing is stored", async () => {
  const sub = 'somebody-of-theirs';
  const now = service.clock.seconds();
  const enroll = async (authTime: unknown) =>
    client.post('/v1/totp/enroll', {}, await theirToken(sub, authTime));
  // An hour ago is too old to enroll. Given in milliseconds, the same time is far in the future.
  const anHourAgo = now - 3600;
  assertProblem(await enroll(anHourAgo), 401, 'recent_sign_in_required');
  for (const authTime of [
    anHourAgo * 1000,
    now * 1000,
    now + 3600,
    now + 120,
    1e300,
    `${now}`,
    [now],
    null,
  ]) {
    assertProblem(await enroll(authTime), 401, 'token_invalid');
    const status = await client.get('/v1/authenticators', await theirToken(sub, authTime));
    assertProblem(status, 401, 'token_invalid');
  }
  assert.equal(await storedItem(service, `USER#partner#${sub}`), undefined);
  assert.equal((await enroll(now - 5)).status, 201);
});

/** Returns an event as the pool sends it to a trigger. */
function triggerEvent(source: string, attributes: Record<string, string>, request: object) {
  return {
    version: '1',
    region: service.local.operator.region,
    userPoolId: service.local.cognito.userPoolId,
    triggerSource: source,
    userName: 'whoever',
    callerContext: { awsSdkVersion: '3', clientId: service.local.cognito.clientId },
    request: { userAttributes: attributes, ...request },
    response: {},
  };
}

/** Invokes a deployed trigger and returns its response to Cognito. */
async function told(trigger: string, event: object): Promise<Record<string, unknown>> {
  const result = await service.invoke(`cognito/${trigger}`, event);
  assert.ok(result.ok, JSON.stringify(result));
  return (result.payload as { response: Record<string, unknown> }).response;
}

test('a challenge history that Cognito would not send gets no tokens and spends no attempt', async () => {
  const { person } = await enrolledPerson(service, client);
  const withoutFactor = await createPerson(service);
  const before = await storedRecord(service, person);
  const refused = { challengeName: '', issueTokens: false, failAuthentication: true };
  const define = (sub: string, session: unknown, more = {}) =>
    told(
      'define-auth-challenge',
      triggerEvent('DefineAuthChallenge_Authentication', { sub }, { session, ...more }),
    );
  const create = (sub: string, session: unknown, more = {}) =>
    told(
      'create-auth-challenge',
      triggerEvent(
        'CreateAuthChallenge_Authentication',
        { sub },
        { session, challengeName: 'CUSTOM_CHALLENGE', ...more },
      ),
    );
  const unanswerable = {
    publicChallengeParameters: {},
    privateChallengeParameters: {},
    challengeMetadata: 'SECOND_FACTOR',
  };

  for (const { sub } of [person, withoutFactor]) {
    for (const [what, session] of withoutPassword) {
      assert.deepEqual([what, await define(sub, session)], [what, refused]);
      assert.deepEqual([what, await create(sub, session)], [what, unanswerable]);
    }
  }
  for (const [what, session] of afterPassword) {
    assert.deepEqual([what, await define(person.sub, session)], [what, refused]);
  }
  const asked = { challengeName: 'CUSTOM_CHALLENGE', issueTokens: false, failAuthentication: false };
  for (const session of notRight) assert.deepEqual(await define(person.sub, session), asked);

  // Cognito runs the flow for unknown users too and marks them, but never as past the password.
  const unknown = { userNotFound: true };
  for (const session of [passwordProved, ...afterPassword.map(([, session]) => session)]) {
    assert.deepEqual(await define(person.sub, session, unknown), refused);
    assert.deepEqual(await create(person.sub, session, unknown), unanswerable);
  }
  assert.deepEqual(await define('', passwordProved), refused);
  for (const session of [undefined, null, {}, 'SRP_A', [null], [[]]]) {
    assert.deepEqual(await define(person.sub, session), refused);
    assert.deepEqual(await create(person.sub, session), unanswerable);
  }
  assert.deepEqual(await storedRecord(service, person), before);
  assert.equal(await storedRecord(service, withoutFactor), undefined);
});

test('a __proto__ in a body is refused on every endpoint and spends no attempt', async () => {
  const { person, access, refresh, code } = await enrolledPerson(service, client);
  const challengeToken = await challengeFor(client, person);
  const before = await storedRecord(service, person);
  const bodies: Record<string, object> = {
    '/v1/auth/login': { username: person.username, password: person.password },
    '/v1/auth/verify': { challengeToken, code: code() },
    '/v1/auth/refresh': { refreshToken: refresh },
    '/v1/auth/logout': { refreshToken: refresh },
    '/v1/totp/enroll': { code: code() },
    '/v1/totp/confirm': { authenticatorId: 'abcdefghijklmnop', code: code() },
    '/v1/authenticators/verify': { code: code() },
    '/v1/authenticators/disable': { code: code() },
    '/v1/backup-codes/rotate': { code: code() },
  };
  const taking = Object.values<Route>(routes).filter(
    ({ method, caller }) => method === 'POST' && caller !== 'iam',
  );
  assert.deepEqual(Object.keys(bodies).sort(), taking.map(({ path }) => path).sort());
  for (const [path, body] of Object.entries(bodies)) {
    const own = JSON.stringify(body);
    for (const hostile of [
      `{"__proto__":{"skip":true},${own.slice(1)}`,
      `{"__proto__":null,${own.slice(1)}`,
      `{"__proto__":${own}}`,
      `{"__proto__":[],"constructor":{"prototype":${own}}}`,
    ]) {
      const answer = await client.call('POST', path, { body: hostile, bearer: access });
      assertProblem(answer, 400, 'invalid_request');
      assert.doesNotMatch(
        text(answer, 'detail'),
        /__proto__|constructor/,
        'the error does not repeat what was sent',
      );
    }
  }
  assert.deepEqual(await storedRecord(service, person), before);
});

test('a challenge with the id __proto__ is invalid: a right code is refused and spends no attempt', async () => {
  const { person, code } = await enrolledPerson(service, client);
  const before = await storedRecord(service, person);
  const { generation } = await storedFactor(service, person);
  const answer = (hidden: object) =>
    told(
      'verify-auth-challenge-response',
      triggerEvent(
        'VerifyAuthChallengeResponse_Authentication',
        { sub: person.sub },
        { privateChallengeParameters: hidden, challengeAnswer: code() },
      ),
    );
  const proved = { passwordProved: 'true', generation };
  for (const hidden of [
    { ...proved, challenge: '__proto__' },
    { ...proved, challenge: 'constructor' },
    JSON.parse(`{"__proto__":${JSON.stringify({ ...proved, challenge: 'challenge-000001' })}}`),
    null,
  ]) {
    assert.deepEqual(await answer(hidden), { answerCorrect: false }, JSON.stringify(hidden));
  }
  assert.deepEqual(await storedRecord(service, person), before);
  assert.deepEqual(await answer({ ...proved, challenge: 'challenge-000001' }), { answerCorrect: true });
});
