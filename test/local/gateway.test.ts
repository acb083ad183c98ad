import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { AwsError, type Principal } from '../../local/aws/types.ts';
import { createClock } from '../../local/clock.ts';
import { readApi } from '../../local/gateway/api.ts';
import { startGateway } from '../../local/gateway.ts';
import { startLambda } from '../../local/lambda.ts';
import { openIdentifiers } from '../../local/template/identifiers.ts';
import { readDeployment } from '../../local/template.ts';
import { scratchFolder, writeAssembly } from './assembly.ts';

const root = scratchFolder('gateway');
const clock = createClock();
const accessLog: string[] = [];

/** Answers what the body asks for, the event itself by default. */
const source = `exports.handler = async (event) => {
  if (!event.body || event.isBase64Encoded || !event.body.startsWith('{"answer')) return { statusCode: 200, body: JSON.stringify(event) };
  const { answer, fail, hang } = JSON.parse(event.body);
  if (answer === 'fail') throw new Error('secret detail');
  if (answer === 'hang') return new Promise(() => {});
  return answer;
};`;

const restApi = { Ref: 'Api' };
const functionArn = 'arn:aws:lambda:us-east-1:000000000000:function:echo';
const uri = `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${functionArn}/invocations`;
const resource = (parent: object, PathPart: string) => ({
  Type: 'AWS::ApiGateway::Resource',
  Properties: { RestApiId: restApi, ParentId: parent, PathPart },
});
const method = (HttpMethod: string, ResourceId: object, more: object = {}) => ({
  Type: 'AWS::ApiGateway::Method',
  Properties: {
    RestApiId: restApi,
    HttpMethod,
    ResourceId,
    AuthorizationType: 'NONE',
    Integration: { Type: 'AWS_PROXY', IntegrationHttpMethod: 'POST', Uri: uri },
    ...more,
  },
});
const gatewayResponse = (ResponseType: string, more: object) => ({
  Type: 'AWS::ApiGateway::GatewayResponse',
  Properties: { RestApiId: restApi, ResponseType, ...more },
});
const key = (Enabled: boolean) => ({ Type: 'AWS::ApiGateway::ApiKey', Properties: { Enabled } });
const inPlan = (plan: string, id: string) => ({
  Type: 'AWS::ApiGateway::UsagePlanKey',
  Properties: { KeyType: 'API_KEY', UsagePlanId: { Ref: plan }, KeyId: { Ref: id } },
});
const plan = (Throttle: object | undefined, Methods: object, Quota?: object) => ({
  Type: 'AWS::ApiGateway::UsagePlan',
  Properties: {
    ...(Throttle ? { Throttle } : {}),
    ...(Quota ? { Quota } : {}),
    ApiStages: [{ ApiId: restApi, Stage: { Ref: 'Stage' }, Throttle: Methods }],
  },
});
const preflightHeaders = {
  'method.response.header.Access-Control-Allow-Origin': "'https://a.example'",
  'method.response.header.Vary': "'Origin'",
};
const preflight = {
  ApiKeyRequired: false,
  Integration: {
    Type: 'MOCK',
    RequestTemplates: { 'application/json': '{ statusCode: 200 }' },
    IntegrationResponses: [
      {
        StatusCode: '204',
        ResponseParameters: preflightHeaders,
        ResponseTemplates: {
          'application/json': [
            '#set($origin = $input.params().header.get("Origin"))',
            '#if($origin == "")',
            '  #set($origin = $input.params().header.get("origin"))',
            '#end',
            '#if($origin == "https://b.example" || $origin == "https://c.example")',
            '  #set($context.responseOverride.header.Access-Control-Allow-Origin = $origin)',
            '#end',
          ].join('\n'),
        },
      },
    ],
  },
  MethodResponses: [
    {
      StatusCode: '204',
      ResponseParameters: Object.fromEntries(Object.keys(preflightHeaders).map((name) => [name, true])),
    },
  ],
};

const resources = {
  Api: { Type: 'AWS::ApiGateway::RestApi', Properties: { Name: 'api', BinaryMediaTypes: ['image/*'] } },
  Deployment: { Type: 'AWS::ApiGateway::Deployment', Properties: { RestApiId: restApi } },
  Stage: {
    Type: 'AWS::ApiGateway::Stage',
    Properties: {
      RestApiId: restApi,
      StageName: 'prod',
      DeploymentId: { Ref: 'Deployment' },
      AccessLogSetting: {
        Format: '$context.httpMethod $context.resourcePath $context.status $context.error.responseType',
      },
      MethodSettings: [
        { HttpMethod: 'GET', ResourcePath: '/~1stage', ThrottlingRateLimit: 1, ThrottlingBurstLimit: 2 },
      ],
    },
  },
  Users: resource({ 'Fn::GetAtt': ['Api', 'RootResourceId'] }, 'users'),
  Me: resource({ Ref: 'Users' }, 'me'),
  User: resource({ Ref: 'Users' }, '{userId}'),
  Unlock: resource({ Ref: 'User' }, 'unlock'),
  Admin: resource({ 'Fn::GetAtt': ['Api', 'RootResourceId'] }, 'admin'),
  Keyed: resource({ 'Fn::GetAtt': ['Api', 'RootResourceId'] }, 'keyed'),
  Staged: resource({ 'Fn::GetAtt': ['Api', 'RootResourceId'] }, 'stage'),
  Slow: resource({ 'Fn::GetAtt': ['Api', 'RootResourceId'] }, 'slow'),
  Unpermitted: resource({ 'Fn::GetAtt': ['Api', 'RootResourceId'] }, 'unpermitted'),
  UsersPost: method('POST', { Ref: 'Users' }),
  UsersGet: method('GET', { Ref: 'Users' }),
  UsersOptions: method('OPTIONS', { Ref: 'Users' }, preflight),
  MeGet: method('GET', { Ref: 'Me' }),
  UserGet: method('GET', { Ref: 'User' }),
  UnlockPost: method('POST', { Ref: 'Unlock' }),
  AdminGet: method('GET', { Ref: 'Admin' }, { AuthorizationType: 'AWS_IAM' }),
  KeyedGet: method('GET', { Ref: 'Keyed' }, { ApiKeyRequired: true }),
  KeyedPost: method('POST', { Ref: 'Keyed' }, { ApiKeyRequired: true }),
  StagedGet: method('GET', { Ref: 'Staged' }),
  UnpermittedGet: method('GET', { Ref: 'Unpermitted' }),
  SlowPost: method(
    'POST',
    { Ref: 'Slow' },
    { Integration: { Type: 'AWS_PROXY', IntegrationHttpMethod: 'POST', Uri: uri, TimeoutInMillis: 150 } },
  ),
  GenerousKey: key(true),
  TightKey: key(true),
  QuotaKey: key(true),
  DisabledKey: key(false),
  LooseKey: key(true),
  Generous: plan({ RateLimit: 1000, BurstLimit: 1000 }, {}),
  Tight: plan({ RateLimit: 1, BurstLimit: 3 }, { '/keyed/POST': { RateLimit: 0.1, BurstLimit: 1 } }),
  Quota: plan(undefined, {}, { Limit: 2, Period: 'DAY' }),
  InGenerous: inPlan('Generous', 'GenerousKey'),
  InTight: inPlan('Tight', 'TightKey'),
  InQuota: inPlan('Quota', 'QuotaKey'),
  DisabledInGenerous: inPlan('Generous', 'DisabledKey'),
  Default4xx: gatewayResponse('DEFAULT_4XX', {
    ResponseParameters: {
      'gatewayresponse.header.Content-Type': "'application/problem+json'",
      'gatewayresponse.header.Access-Control-Allow-Origin': 'method.request.header.Origin',
    },
    ResponseTemplates: {
      'application/json':
        '{"type":"$context.error.responseType","detail":$context.error.messageString,"requestId":"$context.requestId"}',
    },
  }),
  Throttled: gatewayResponse('THROTTLED', {
    ResponseParameters: { 'gatewayresponse.header.Retry-After': "'1'" },
  }),
};

const data = join(root, 'data');
mkdirSync(data);
const deployment = readDeployment({
  assembly: writeAssembly(join(root, 'assembly'), { Stack: { Resources: resources } }),
  region: 'us-east-1',
  account: '000000000000',
  identifiers: openIdentifiers(data),
});
const api = readApi(deployment);
writeAssembly(join(root, 'code'), {}, { echo: source });
const lambda = startLambda({
  functions: [
    {
      name: 'echo',
      arn: functionArn,
      folder: join(root, 'code/asset.echo'),
      handler: 'index.handler',
      timeoutSeconds: 5,
      memoryMb: 128,
      variables: {},
      credentials: { accessKeyId: 'ASIALOCAL', secretAccessKey: 'secret', sessionToken: 'token' },
      logGroup: 'echo',
    },
  ],
  clock,
  region: 'us-east-1',
  endpoints: {},
  hosts: {},
});
const admin: Principal = {
  arn: 'arn:aws:iam::000000000000:user/admin',
  accessKeyId: 'AKIAADMIN',
  secretAccessKey: 'secret',
  policies: [],
};
const gateway = await startGateway({
  api,
  clock,
  keyValues: new Map(api.keys.map(({ id, name }) => [id, `value-of-${name}`])),
  authenticate({ headers }) {
    const [, authorization] = headers.find(([name]) => name.toLowerCase() === 'authorization') ?? [];
    if (authorization === undefined) throw new AwsError('MissingAuthenticationTokenException', 'none');
    if (!authorization.startsWith('AWS4-HMAC-SHA256 '))
      throw new AwsError('InvalidSignatureException', 'wrong');
    return admin;
  },
  mayCall: (_, methodArn) =>
    methodArn === `arn:aws:execute-api:us-east-1:000000000000:${api.id}/prod/GET/admin`,
  mayInvoke: (_, sourceArn) => !sourceArn.endsWith('/unpermitted'),
  invoke: lambda.invoke,
  onAccess: (line) => accessLog.push(line),
});
after(async () => {
  await gateway.close();
  await lambda.close();
  rmSync(root, { recursive: true });
});

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** By node:http: it sends paths and header names as they are. */
function send(
  methodName: string,
  path: string,
  headers: Record<string, string | string[]> = {},
  body: string | Buffer = '',
): Promise<Answer> {
  return new Promise((done, failed) => {
    const { hostname, port } = new URL(gateway.endpoint);
    const request = httpRequest({ method: methodName, hostname, port, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () =>
        done({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    request.on('error', failed);
    request.end(body);
  });
}
const answered = (answer: unknown) => send('POST', '/users', {}, JSON.stringify({ answer }));
const problem = ({ body }: Answer) => (JSON.parse(body) as { type: string }).type;
const withKey = (name: string) => ({ 'x-api-key': `value-of-${name}` });

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

test('only binary media types arrive in base64', async () => {
  const bytes = Buffer.from([0xff, 0x00, 0x80]);
  const event = JSON.parse((await send('POST', '/users', { 'Content-Type': 'image/png' }, bytes)).body);
  assert.deepEqual([event.body, event.isBase64Encoded], [bytes.toString('base64'), true]);
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

test('base64 is decoded only for a client that accepts a binary media type', async () => {
  const answer = { statusCode: 200, body: Buffer.from('bytes').toString('base64'), isBase64Encoded: true };
  const request = JSON.stringify({ answer });
  assert.equal((await send('POST', '/users', { Accept: 'image/png' }, request)).body, 'bytes');
  assert.equal((await send('POST', '/users', { Accept: 'text/html' }, request)).body, answer.body);
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

test('an unknown path or method is MISSING_AUTHENTICATION_TOKEN, in the form of the default', async () => {
  for (const [name, path] of [
    ['GET', '/nowhere'],
    ['DELETE', '/users'],
    ['GET', '/'],
    ['HEAD', '/users'],
    ['GET', '/users//unlock'],
    ['GET', '/%75sers'],
  ] as const) {
    const answer = await send(name, path, { Origin: 'https://x.example' });
    assert.equal(answer.status, 403, path);
    assert.equal(answer.headers['x-amzn-errortype'], 'MissingAuthenticationTokenException');
    assert.equal(answer.headers['content-type'], 'application/problem+json');
    assert.equal(answer.headers['access-control-allow-origin'], 'https://x.example');
    if (name === 'HEAD') assert.equal(answer.body, '');
    else assert.equal(problem(answer), 'MISSING_AUTHENTICATION_TOKEN');
  }
});

test('IAM: unsigned, wrongly signed, not allowed, allowed', async () => {
  const unsigned = await send('GET', '/admin');
  assert.deepEqual([unsigned.status, problem(unsigned)], [403, 'MISSING_AUTHENTICATION_TOKEN']);
  const wrong = await send('GET', '/admin', { Authorization: 'Bearer x' });
  assert.deepEqual([wrong.status, problem(wrong)], [403, 'INVALID_SIGNATURE']);
  const denied = await send('GET', '/admin/', { Authorization: 'AWS4-HMAC-SHA256 x' });
  assert.deepEqual([denied.status, problem(denied)], [403, 'ACCESS_DENIED']);
  assert.match(denied.body, /user\/admin is not authorized .*:\*{8}0000:/);
  const allowed = JSON.parse((await send('GET', '/admin', { Authorization: 'AWS4-HMAC-SHA256 x' })).body);
  assert.equal(allowed.requestContext.identity.userArn, admin.arn);
  assert.equal(allowed.headers.Authorization, undefined);
});

test('API key: missing, unknown, disabled, in no plan, and one that passes', async () => {
  const refusals = [{}, { 'x-api-key': 'nobody' }, withKey('DisabledKey'), withKey('LooseKey')];
  for (const headers of refusals) {
    const answer = await send('GET', '/keyed', headers);
    assert.deepEqual([answer.status, problem(answer)], [403, 'INVALID_API_KEY'], JSON.stringify(headers));
  }
  const { requestContext } = JSON.parse(
    (await send('GET', '/keyed', { 'X-API-Key': 'value-of-GenerousKey' })).body,
  );
  assert.equal(requestContext.identity.apiKey, 'value-of-GenerousKey');
  assert.equal(requestContext.identity.apiKeyId, api.keys.find(({ name }) => name === 'GenerousKey')?.id);
});

test("a usage plan's bucket empties and fills again, and a method's own is apart", async () => {
  const statusOf = async (name: string) => (await send(name, '/keyed', withKey('TightKey'))).status;
  const statuses = await Promise.all(Array.from({ length: 5 }, () => statusOf('GET')));
  assert.deepEqual(statuses.toSorted(), [200, 200, 200, 429, 429]);
  assert.equal(await statusOf('POST'), 200);
  assert.equal(await statusOf('POST'), 429);
  const refused = await send('GET', '/keyed', withKey('TightKey'));
  assert.deepEqual([refused.status, refused.headers['retry-after']], [429, '1']);
  assert.equal((await send('GET', '/keyed', withKey('GenerousKey'))).status, 200);
  clock.advance(2);
  assert.equal(await statusOf('GET'), 200);
  assert.equal(await statusOf('POST'), 429);
  clock.advance(10);
  assert.equal(await statusOf('POST'), 200);
});

test('a quota is used up for the day', async () => {
  const get = () => send('GET', '/keyed', withKey('QuotaKey'));
  assert.deepEqual([(await get()).status, (await get()).status], [200, 200]);
  const over = await get();
  assert.deepEqual([over.status, problem(over)], [429, 'QUOTA_EXCEEDED']);
  clock.advance(86_400);
  assert.equal((await get()).status, 200);
});

test("the stage's own limit holds without a key", async () => {
  const statuses: number[] = [];
  for (let at = 0; at < 3; at++) statuses.push((await send('GET', '/stage')).status);
  assert.deepEqual(statuses, [200, 200, 429]);
});

test('a preflight is answered by the mock, for each configured origin', async () => {
  const originFor = async (origin?: string) => {
    const { status, headers, body } = await send('OPTIONS', '/users', origin ? { Origin: origin } : {});
    assert.deepEqual([status, body, headers['vary']], [204, '', 'Origin']);
    return headers['access-control-allow-origin'];
  };
  assert.equal(await originFor('https://a.example'), 'https://a.example');
  assert.equal(await originFor('https://c.example'), 'https://c.example');
  assert.equal(await originFor('https://evil.example'), 'https://a.example');
  assert.equal(await originFor(), 'https://a.example');
});

test('a body over 10 MB is 413, and headers over 10 KB are refused', async () => {
  const large = await send('POST', '/users', {}, Buffer.alloc(10_485_761, 'x'));
  assert.deepEqual([large.status, problem(large)], [413, 'REQUEST_TOO_LARGE']);
  assert.equal((await send('GET', '/users', { 'X-Long': 'x'.repeat(11_000) })).status, 431);
});

test("every request is in the access log, in the stage's format", async () => {
  accessLog.length = 0;
  await send('GET', '/users/me');
  await send('GET', '/nowhere');
  assert.deepEqual(accessLog, ['GET /users/me 200 -', 'GET - 403 MISSING_AUTHENTICATION_TOKEN']);
});

test('what the gateway would do otherwise than AWS is refused when the template is read', () => {
  const refused: [string, object, RegExp][] = [
    [
      'UsersGet',
      { ...method('GET', { Ref: 'Users' }, { RequestValidatorId: 'x' }) },
      /UsersGet .*RequestValidatorId/,
    ],
    ['UsersGet', method('GET', { Ref: 'Users' }, { AuthorizationType: 'CUSTOM' }), /authorization CUSTOM/],
    [
      'Throttled',
      gatewayResponse('THROTTLED', { ResponseTemplates: { 'application/json': '#set($x = 1)$input.body' } }),
      /#set in a template/,
    ],
    [
      'Throttled',
      gatewayResponse('THROTTLED', { ResponseTemplates: { 'application/json': '$context.authorizer.sub' } }),
      /variable \$context\.authorizer\.sub/,
    ],
  ];
  for (const [index, [name, changed, expected]] of refused.entries()) {
    const assembly = writeAssembly(join(root, `refused-${index}`), {
      Stack: { Resources: { ...resources, [name]: changed } },
    });
    const identifiers = openIdentifiers(data);
    assert.throws(
      () => readApi(readDeployment({ assembly, region: 'us-east-1', account: '000000000000', identifiers })),
      expected,
    );
  }
});

test('closing lets a request under way end', async () => {
  const { promise: underway, resolve: begun } = Promise.withResolvers<void>();
  const second = await startGateway({
    api,
    clock,
    keyValues: new Map(),
    authenticate: () => admin,
    mayCall: () => true,
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
