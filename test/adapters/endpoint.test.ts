import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import * as v from 'valibot';
import { adminEndpoint } from '../../adapters/admin-endpoint.ts';
import { dynamoDb } from '../../adapters/aws.ts';
import { timeLeft } from '../../adapters/deadline.ts';
import { bearerBodyEndpoint, bodyEndpoint, endpoint } from '../../adapters/endpoint.ts';
import { CountersignError, unavailable } from '../../core/error.ts';
import { code } from '../../functions/contract/fields.ts';
import { createDeployment, SUPPORT, session } from '../support/deployment.ts';
import { gatewayEvent, lambdaContext } from '../support/gateway-event.ts';
import { logged } from '../support/logged.ts';

const options = {
  operation: 'verify',
  environment: { CLIENTS: { 'key-1': 'web' }, CORS_ORIGINS: ['https://app.example'] },
};
const body = v.strictObject({ code });
const CODE = '123456';
const withCode = (headers: Record<string, string> = {}) =>
  gatewayEvent({
    body: JSON.stringify({ code: CODE }),
    headers: { 'content-type': 'application/json', ...headers },
  });

type Handler = ReturnType<typeof endpoint>;

/** The answer, and the lines that were logged for it. */
async function answerOf(handler: Handler, event = withCode(), remaining?: number) {
  const { done, log } = await logged(() => handler(event, lambdaContext(remaining)));
  const { statusCode, headers = {}, body: text } = done;
  return { statusCode, headers, body: text ? JSON.parse(text) : undefined, log };
}

test('an answer is JSON, not to be stored, and not to be sniffed', async () => {
  const answer = await answerOf(endpoint(options, async ({ client }) => ({ body: { client } })));
  assert.deepEqual([answer.statusCode, answer.body], [200, { client: 'web' }]);
  assert.equal(answer.headers['content-type'], 'application/json');
  assert.equal(answer.headers['cache-control'], 'no-store');
  assert.equal(answer.headers['x-content-type-options'], 'nosniff');
});

test('an answer without a body has none, and no type', async () => {
  const answer = await answerOf(endpoint(options, async () => ({ status: 204 })));
  assert.deepEqual(
    [answer.statusCode, answer.body, answer.headers['content-type']],
    [204, undefined, undefined],
  );
});

test('a refusal is a problem with its headers, not to be stored', async () => {
  const refusing = endpoint(options, async () => {
    throw new CountersignError('too_many_attempts', '', { retryAfter: 30 });
  });
  const { statusCode, headers, body: told } = await answerOf(refusing);
  assert.deepEqual([statusCode, told.code, told.requestId], [429, 'too_many_attempts', 'request-1']);
  assert.deepEqual([headers['retry-after'], headers['cache-control']], ['30', 'no-store']);
});

test('a defect is a 500 without a word of it, and its text is logged nowhere', async () => {
  const cause = { data: `{"code":"${CODE}"}` };
  const failing = bodyEndpoint({ ...options, body }, async ({ body: given }) => {
    throw new TypeError(`cannot do ${given.code}`, { cause });
  });
  const { statusCode, body: told, log } = await answerOf(failing);
  assert.deepEqual([statusCode, told.code], [500, 'internal_error']);
  assert.equal(JSON.stringify(told).includes(CODE), false);
  assert.equal(log.includes(CODE), false);
  assert.match(log, /TypeError/);
  assert.match(log, /endpoint\.test\.ts/);
});

test('what is thrown and is no error at all is a 500 too', async () => {
  const failing = endpoint(options, async () => Promise.reject(CODE));
  const { statusCode, log } = await answerOf(failing);
  assert.equal(statusCode, 500);
  assert.equal(log.includes(CODE), false);
});

test('one line a request: operation, client, status and code; nothing that was sent', async () => {
  const accepting = bodyEndpoint({ ...options, body }, async () => ({ body: { accessToken: 'secret' } }));
  const event = withCode({ authorization: 'Bearer secret', 'x-forwarded-for': '192.0.2.7' });
  const { log } = await answerOf(accepting, event);
  assert.deepEqual(JSON.parse(log), {
    level: 'info',
    requestId: 'request-1',
    invocationId: 'invocation-1',
    operation: 'verify',
    client: 'web',
    status: 200,
  });

  const { log: refused } = await answerOf(accepting, gatewayEvent({ body: `{"code":"${CODE}0"}` }));
  assert.deepEqual([JSON.parse(refused).status, JSON.parse(refused).code], [400, 'invalid_request']);
  assert.equal(refused.includes(CODE), false);
});

test('what a dependency failed with is logged by call, name and status; its text is not', async () => {
  const failing = dynamoDb();
  failing.config.region = async () => 'eu-central-1';
  // Nobody signs here, and so nothing is sent.
  failing.config.credentials = async () => {
    throw Object.assign(new Error(`about ${CODE}`), {
      name: 'AccessDeniedException',
      $metadata: { httpStatusCode: 400 },
    });
  };
  const command = new GetItemCommand({ TableName: 't', Key: { pk: { S: CODE } } });
  const handler = endpoint(options, async () => {
    // As the keyring does it: a fault of a fault.
    throw unavailable(unavailable(await failing.send(command).catch((error: unknown) => error)));
  });
  const { statusCode, log } = await answerOf(handler);
  assert.equal(statusCode, 503);
  const [defect, request] = log
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(defect, {
    level: 'error',
    requestId: 'request-1',
    invocationId: 'invocation-1',
    code: 'temporarily_unavailable',
    cause: { error: 'AccessDeniedException', call: 'DynamoDBClient GetItemCommand', status: 400 },
  });
  assert.equal(request.requestId, 'request-1', 'the id that the caller has');
  assert.ok(!log.includes(CODE));
});

test('bad input is never quoted in the answer', async () => {
  const never = bodyEndpoint({ ...options, body }, async () => assert.fail('reached'));
  for (const sent of [
    `{"code":"${CODE}0"}`,
    `{"code":"${CODE}`,
    `{"code":${CODE}}`,
    `{"code":"${CODE}","x":"${CODE}"}`,
  ]) {
    const { statusCode, body: told } = await answerOf(never, gatewayEvent({ body: sent }));
    assert.equal(statusCode, 400);
    assert.equal(JSON.stringify(told).includes(CODE), false);
  }
});

test('shortly before the limit a clear answer is given instead of none', async () => {
  const hanging = endpoint(options, () => new Promise(() => {}));
  const began = performance.now();
  const { statusCode, headers, body: told } = await answerOf(hanging, withCode(), 620);
  // Half a second before the end, and so well before it.
  assert.ok(performance.now() - began < 500);
  assert.deepEqual([statusCode, told.code, headers['retry-after']], [503, 'temporarily_unavailable', '1']);
});

test('time sent by the client is ignored', async () => {
  const telling = endpoint(options, async ({ now }) => ({ body: { now } }));
  const before = Math.floor(Date.now() / 1000);
  const event = withCode({ date: 'Thu, 01 Jan 2037 00:00:00 GMT', 'x-now': '2100000000' });
  const { body: told } = await answerOf(telling, event);
  assert.ok(told.now >= before && told.now <= Math.floor(Date.now() / 1000));
});

test('the token is looked at before the body: a stranger learns nothing of its form', async () => {
  const deployment = createDeployment();
  const handler = bearerBodyEndpoint({ ...options, bearer: deployment.bearer, body }, async ({ caller }) => ({
    body: { sub: caller.user.sub },
  }));
  const broken = gatewayEvent({ body: '{' });
  assert.equal((await answerOf(handler, broken)).body.code, 'token_invalid');
  assert.match(String((await answerOf(handler, broken)).headers['www-authenticate']), /^Bearer /);

  const { accessToken } = await session(deployment, 'alice', Math.floor(Date.now() / 1000));
  const authorization = `Bearer ${accessToken}`;
  const known = await answerOf(
    handler,
    gatewayEvent({ body: '{', headers: { authorization, 'content-type': 'application/json' } }),
  );
  assert.equal(known.body.code, 'invalid_json');
  assert.deepEqual((await answerOf(handler, withCode({ authorization }))).body, { sub: 'sub-of-alice' });
});

test('only a listed origin may read the answers, errors included', async () => {
  const handlers = [
    endpoint(options, async () => ({ body: {} })),
    endpoint(options, async () => Promise.reject(new CountersignError('conflict'))),
  ];
  for (const handler of handlers) {
    const from = async (origin: string) => (await answerOf(handler, withCode({ Origin: origin }))).headers;
    const allowed = await from('https://app.example');
    assert.equal(allowed['access-control-allow-origin'], 'https://app.example');
    assert.equal(allowed['vary'], 'Origin');
    for (const origin of [
      'https://evil.example',
      'null',
      'https://app.example.evil.example',
      'HTTPS://APP.EXAMPLE',
    ]) {
      const headers = await from(origin);
      assert.equal(headers['access-control-allow-origin'], undefined, origin);
      assert.equal(headers['vary'], 'Origin');
    }
  }
});

test('an administrator names the user by path and realm; only known realms', async () => {
  const handler = adminEndpoint({ ...options, realms: ['users', 'partners'] }, async ({ user }) => ({
    body: user,
  }));
  const ask = async (userId: string, realm?: string, userArn: string | undefined = SUPPORT) =>
    (
      await answerOf(
        handler,
        gatewayEvent({
          pathParameters: { userId },
          ...(userArn !== '' && { userArn }),
          ...(realm !== undefined && { queryStringParameters: { realm } }),
        }),
      )
    ).body;
  assert.deepEqual(await ask('alice'), { realm: 'users', sub: 'alice' });
  assert.deepEqual(await ask('alice', 'partners'), { realm: 'partners', sub: 'alice' });
  for (const realm of ['', 'others', 'users#x'])
    assert.equal((await ask('alice', realm)).code, 'invalid_request');
  for (const userId of ['', 'x'.repeat(256)]) assert.equal((await ask(userId)).code, 'invalid_request');
  assert.equal((await ask('alice', 'users', '')).code, 'internal_error', 'nobody acts unnamed');
});

test("an administrator's call leaves a line with whose factor it was and who acted, refused or not", async () => {
  const userArn = 'arn:aws:iam::123456789012:user/support';
  const handler = adminEndpoint({ ...options, realms: ['users'] }, async () => ({ status: 204 }));
  for (const [realm, status] of [
    ['users', 204],
    ['others', 400],
  ] as const) {
    const asked = { pathParameters: { userId: 'alice' }, queryStringParameters: { realm }, userArn };
    const { log } = await answerOf(handler, gatewayEvent(asked));
    const line = JSON.parse(log);
    assert.deepEqual(
      [line.realm, line.user, line.administrator, line.status],
      [realm, 'alice', userArn, status],
    );
  }
});

test('what an operation asks of AWS has to end before the caller is answered', async () => {
  let left = 0;
  const asking = endpoint(options, async () => {
    left = timeLeft();
    return { status: 204 };
  });
  await answerOf(asking, withCode(), 3000);
  assert.ok(left > 0 && left <= 2500, `${left} ms`);
});

test('a key that belongs to no client is its own', async () => {
  const telling = endpoint(
    { ...options, environment: { ...options.environment, CLIENTS: {} } },
    async ({ client }) => ({ body: { client } }),
  );
  assert.deepEqual((await answerOf(telling)).body, { client: 'key-1' });
});
