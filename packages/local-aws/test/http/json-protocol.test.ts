import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { KMSClient, ListKeysCommand } from '@aws-sdk/client-kms';
import { AwsError } from '../../src/aws-error.ts';
import { type Operation, startAwsServer } from '../../src/http/json-protocol.ts';
import type { RunningServer } from '../../src/http/listen.ts';
import { clientOf, createStage } from '../../testing/stage.ts';

const stage = createStage();
const caller = stage.principal('caller', []);
const written: unknown[] = [];
const operations: Record<string, Operation> = {
  GetItem: async ({ principal }) => ({ Item: { who: { S: principal?.arn ?? 'nobody' } } }),
  PutItem: async ({ input }) => {
    written.push(input);
    return {};
  },
  DeleteItem: async () => {
    throw new AwsError('ConditionalCheckFailedException', 'no', 400, { Item: { a: { S: 'b' } } });
  },
  Scan: async () => {
    throw new TypeError('quotes what-was-sent');
  },
};
let server: RunningServer;
let client: DynamoDBClient;

before(async () => {
  server = await startAwsServer({
    service: 'dynamodb',
    targetPrefix: 'DynamoDB_20120810',
    contentType: 'application/x-amz-json-1.0',
    context: stage.context,
    operations,
    unsigned: new Set(['Scan', 'DeleteItem']),
    get: (path) => (path === '/jwks.json' ? { contentType: 'application/json', body: '{}' } : undefined),
  });
  client = new DynamoDBClient(clientOf(caller, server.endpoint));
});
beforeEach(() => {
  stage.calls.length = 0;
  written.length = 0;
});
after(async () => {
  client.destroy();
  await server.close();
  stage.remove();
});

const getItem = new GetItemCommand({ TableName: 'records', Key: { pk: { S: 'a' } } });
const putItem = new PutItemCommand({ TableName: 'records', Item: { pk: { S: 'a' } } });
const post = (operation: string, body: string, headers: Record<string, string> = {}) =>
  fetch(server.endpoint, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `DynamoDB_20120810.${operation}`,
      ...headers,
    },
  });
const typeOf = async (response: Response) => ((await response.json()) as { __type: string }).__type;

test('a signed call reaches its operation with its principal, and is counted', async () => {
  const { Item } = await client.send(getItem);
  assert.equal(Item?.['who']?.S, caller.arn);
  assert.deepEqual(stage.calls, [
    { service: 'dynamodb', operation: 'GetItem', principal: caller.arn, status: 200 },
  ]);
});

test('a wrong secret, a wrong session and no signature are refused before the operation', async () => {
  const forger = new DynamoDBClient(clientOf({ ...caller, secretAccessKey: 'guess' }, server.endpoint));
  await assert.rejects(forger.send(putItem), { name: 'InvalidSignatureException' });
  const stale = new DynamoDBClient(clientOf({ ...caller, sessionToken: 'old' }, server.endpoint));
  await assert.rejects(stale.send(putItem), { name: 'UnrecognizedClientException' });
  const unsigned = await post('PutItem', '{}');
  assert.equal(unsigned.status, 400);
  assert.match(await typeOf(unsigned), /#MissingAuthenticationTokenException$/);
  assert.deepEqual(written, []);
  forger.destroy();
  stale.destroy();
});

test('errors carry type, message and details; a defect says nothing of what was sent', async (t) => {
  const expected = await (await post('DeleteItem', '{}')).json();
  assert.deepEqual(expected, {
    __type: 'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException',
    message: 'no',
    Item: { a: { S: 'b' } },
  });
  const printed = t.mock.method(console, 'error', () => undefined);
  const defect = await post('Scan', '{}');
  assert.equal(defect.status, 500);
  assert.doesNotMatch(await defect.text(), /what-was-sent/);
  assert.equal(printed.mock.callCount(), 1);
  assert.doesNotMatch(String(printed.mock.calls[0]?.arguments[0]), /what-was-sent/);
});

test('an unknown operation, a wrong content type, broken JSON and a body too large are refused', async () => {
  const type = async (response: Response) => [response.status, (await typeOf(response)).split('#').at(-1)];
  assert.deepEqual(await type(await post('Fly', '{}')), [400, 'UnknownOperationException']);
  assert.deepEqual(await type(await post('toString', '{}')), [400, 'UnknownOperationException']);
  assert.deepEqual(await type(await post('Scan', '{}', { 'x-amz-target': 'TrentService.Scan' })), [
    400,
    'UnknownOperationException',
  ]);
  assert.deepEqual(await type(await post('Scan', '{}', { 'content-type': 'text/plain' })), [
    400,
    'UnknownOperationException',
  ]);
  for (const body of ['', '{', '[]', 'null', '"x"']) {
    assert.deepEqual(await type(await post('Scan', body)), [400, 'SerializationException']);
  }
  assert.equal((await post('Scan', 'x'.repeat(16 * 1024 * 1024 + 1))).status, 413);

  const kms = new KMSClient(clientOf(caller, server.endpoint));
  await assert.rejects(kms.send(new ListKeysCommand({})), { name: 'UnknownOperationException' });
  kms.destroy();
});

test('documents are served by path, and any page may ask', async () => {
  const document = await fetch(`${server.endpoint}/jwks.json?x=1`);
  assert.equal(document.headers.get('content-type'), 'application/json');
  assert.equal(await document.text(), '{}');
  assert.equal((await fetch(`${server.endpoint}/other`)).status, 404);
  const preflight = await fetch(server.endpoint, {
    method: 'OPTIONS',
    headers: { origin: 'http://localhost' },
  });
  assert.equal(preflight.headers.get('access-control-allow-origin'), '*');
});

test('a throttle and an error refuse before anything happens, and the SDK gets over them', async () => {
  stage.faults.push('throttle');
  await assert.rejects(client.send(putItem), { name: 'ProvisionedThroughputExceededException' });
  stage.faults.push('error');
  await assert.rejects(client.send(putItem), { name: 'InternalServerError', $fault: 'server' });
  assert.deepEqual(written, []);
  assert.deepEqual(
    stage.calls.map(({ status }) => status),
    [400, 500],
  );

  const patient = new DynamoDBClient(clientOf(caller, server.endpoint, 3));
  stage.faults.push('throttle', 'error');
  await patient.send(putItem);
  assert.equal(written.length, 1);
  patient.destroy();
});

test('a lost answer is work done and a connection cut', async () => {
  stage.faults.push('lose-answer');
  await assert.rejects(client.send(putItem), { code: 'ECONNRESET' });
  assert.equal(written.length, 1);
  assert.deepEqual(
    stage.calls.map(({ status }) => status),
    [200],
  );
});

test('a hung call is never answered, and ends with the server', async () => {
  const own = await startAwsServer({
    service: 'dynamodb',
    targetPrefix: 'DynamoDB_20120810',
    contentType: 'application/x-amz-json-1.0',
    context: stage.context,
    operations,
  });
  const waiting = new DynamoDBClient(clientOf(caller, own.endpoint));
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const { fault } = stage.context;
  stage.context.fault = () => {
    resolve();
    return 'hang';
  };
  const hung = waiting.send(putItem).then(
    () => 'answered',
    (error: { code?: string }) => error.code,
  );
  await asked;
  stage.context.fault = fault;
  await own.close();
  assert.equal(await hung, 'ECONNRESET');
  assert.deepEqual(written, []);
  assert.deepEqual(
    stage.calls.map(({ status }) => status),
    [0],
  );
  waiting.destroy();
});

test("the server's date is the local clock's, so that the SDK finds a clock put forward", async () => {
  stage.clock.advance(3600);
  const behind = new DynamoDBClient(clientOf(caller, server.endpoint, 2));
  await behind.send(getItem);
  assert.deepEqual(
    stage.calls.map(({ status }) => status),
    [400, 200],
  );
  behind.destroy();
});
