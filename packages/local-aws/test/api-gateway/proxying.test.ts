import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startApiGateway } from '../../src/api-gateway/server.ts';
import { admin, runGateway } from './running.ts';

const { clock, api, lambda, send, close } = await runGateway();
after(close);

const answered = (answer: unknown) => send('POST', '/users', {}, JSON.stringify({ answer }));

test('a request becomes a proxy event in full shape', async () => {
  const { body } = await send(
    'POST',
    '/users/a%2Fb%20c/unlock?x=1&x=2&y=%C3%A4+b',
    {
      'X-Custom': 'one',
      Cookie: 'a=b',
      Authorization: 'Bearer token',
      TE: 'trailers',
      'X-Forwarded-For': '203.0.113.7',
    },
    'plain ä',
  );
  const event = JSON.parse(body);
  const { requestContext, headers, multiValueHeaders, ...rest } = event;
  assert.deepEqual(rest, {
    resource: '/users/{userId}/unlock',
    path: '/users/a%2Fb%20c/unlock',
    httpMethod: 'POST',
    queryStringParameters: { x: '2', y: 'ä b' },
    multiValueQueryStringParameters: { x: ['1', '2'], y: ['ä b'] },
    pathParameters: { userId: 'a%2Fb%20c' },
    stageVariables: null,
    body: 'plain ä',
    isBase64Encoded: false,
  });
  assert.equal(headers['X-Custom'], 'one');
  assert.equal(headers.Authorization, 'Bearer token');
  assert.equal(headers['X-Forwarded-For'], '203.0.113.7, 127.0.0.1');
  assert.equal(headers.TE, undefined);
  assert.deepEqual(multiValueHeaders['X-Custom'], ['one']);
  const { identity, requestTimeEpoch, requestTime, requestId, extendedRequestId, ...context } =
    requestContext;
  assert.match(requestId, /^[0-9a-f-]{36}$/);
  assert.match(requestTime, /^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/);
  assert.ok(Math.abs(requestTimeEpoch - clock.now()) < 5000 && extendedRequestId.length > 0);
  assert.equal(identity.sourceIp, '127.0.0.1');
  assert.equal(identity.apiKeyId, undefined);
  assert.equal(identity.userArn, null);
  assert.equal(context.apiId, api.id);
  assert.equal(context.stage, 'prod');
  assert.equal(context.resourcePath, '/users/{userId}/unlock');
});

test('what is absent is null in the event', async () => {
  const event = JSON.parse((await send('GET', '/users')).body);
  assert.equal(event.queryStringParameters, null);
  assert.equal(event.multiValueQueryStringParameters, null);
  assert.equal(event.pathParameters, null);
  assert.equal(event.body, null);
});

test('a literal segment is preferred to a parameter, and a slash at the end does not count', async () => {
  const resourceOf = async (path: string) => JSON.parse((await send('GET', path)).body).resource;
  assert.equal(await resourceOf('/users/me'), '/users/me');
  assert.equal(await resourceOf('/users/you'), '/users/{userId}');
  assert.equal(await resourceOf('/users/you/'), '/users/{userId}');
});

test("a function's answer is mapped: status, headers of one and many values, body", async () => {
  const { status, headers, body } = await answered({
    statusCode: 201,
    headers: { 'X-One': 'a', 'X-Both': 'b', 'WWW-Authenticate': 'Bearer' },
    multiValueHeaders: { 'Set-Cookie': ['a=1', 'b=2'], 'X-Both': ['b', 'c'] },
    body: 'made',
  });
  assert.equal(status, 201);
  assert.equal(body, 'made');
  assert.equal(headers['x-one'], 'a');
  assert.equal(headers['x-both'], 'b, c');
  assert.deepEqual(headers['set-cookie'], ['a=1', 'b=2']);
  assert.equal(headers['content-type'], 'application/json');
  assert.match(String(headers['x-amzn-requestid']), /^[0-9a-f-]{36}$/);
  // A REST API keeps some names for itself.
  assert.equal(headers['www-authenticate'], undefined);
  assert.equal(headers['x-amzn-remapped-www-authenticate'], 'Bearer');
});

test('an answer in base64 is passed on as it is, as without binary media types', async () => {
  const answer = { statusCode: 200, body: Buffer.from('bytes').toString('base64'), isBase64Encoded: true };
  const request = JSON.stringify({ answer });
  assert.equal((await send('POST', '/users', { Accept: 'image/png' }, request)).body, answer.body);
});

test('a failed function and a malformed answer are 502, and tell nothing', async () => {
  const malformed: unknown[] = [
    'fail',
    'text',
    null,
    {},
    [1],
    { statusCode: 'x' },
    { statusCode: 20 },
    { statusCode: 200, body: { a: 1 } },
    { statusCode: 200, body: 'a', extra: 1 },
    { statusCode: 200, headers: { a: { b: 1 } } },
    { statusCode: 200, headers: { a: 'x\r\ny: z' } },
    { statusCode: 200, multiValueHeaders: { a: 'x' } },
  ];
  for (const answer of malformed) {
    const { status, body } = await answered(answer);
    assert.equal(status, 502, JSON.stringify(answer));
    assert.equal(body, '{"message":"Internal server error"}');
  }
});

test('an integration that takes too long is 504; one that may not be invoked is 500', async () => {
  const late = await send('POST', '/slow', {}, '{"answer":"hang"}');
  assert.equal(late.status, 504);
  assert.equal(late.body, '{"message":"Endpoint request timed out"}');
  assert.equal((await send('GET', '/unpermitted')).status, 500);
});

test('closing lets a request under way end', async () => {
  const { promise: underway, resolve: begun } = Promise.withResolvers<void>();
  const second = await startApiGateway({
    api,
    clock,
    keyValues: new Map(),
    iam: { authenticate: () => admin, mayCall: () => true },
    mayInvoke: () => true,
    invoke(functionArn, event) {
      begun();
      return lambda.invoke(functionArn, event);
    },
  });
  const response = fetch(`${second.endpoint}/users`);
  await underway;
  const closed = second.close();
  assert.equal((await response).status, 200);
  await closed;
  await assert.rejects(fetch(`${second.endpoint}/users`));
});
