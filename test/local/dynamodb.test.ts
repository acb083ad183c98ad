import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  type AttributeValue,
  BatchGetItemCommand,
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  GetItemCommand,
  ListTablesCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import type { RunningServer } from '../../local/aws/types.ts';
import { startDynamoDb, type TableDefinition } from '../../local/dynamodb.ts';
import { ACCOUNT, allow, clientOf, createStage, REGION } from './aws/stage.ts';

const ARN = `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/`;
const KEY_ARN = `arn:aws:kms:${REGION}:${ACCOUNT}:key/the-tables`;
const tables: TableDefinition[] = [
  {
    name: 'records',
    arn: `${ARN}records`,
    keySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    attributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    ttlAttribute: 'expires',
  },
  {
    name: 'events',
    arn: `${ARN}events`,
    keySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'at', KeyType: 'RANGE' },
    ],
    attributeDefinitions: [
      { AttributeName: 'pk', AttributeType: 'S' },
      { AttributeName: 'at', AttributeType: 'N' },
    ],
    kmsKeyArn: KEY_ARN,
  },
];

const stage = createStage();
const admin = stage.principal('admin', [allow('dynamodb:*', '*')]);
const keyless = stage.principal('keyless', [allow('dynamodb:*', '*')]);
let server: RunningServer;
let client: DynamoDBClient;

const start = () =>
  startDynamoDb({
    surroundings: stage.surroundings,
    folder: stage.folder,
    tables,
    mayDecryptVia: (principal, keyArn, via) =>
      principal !== keyless && keyArn === KEY_ARN && via === `dynamodb.${REGION}.amazonaws.com`,
  });
const clientFor = (principal = admin, maxAttempts = 1) =>
  new DynamoDBClient(clientOf(principal, server.endpoint, maxAttempts));
const put = (Item: Record<string, AttributeValue>) =>
  client.send(new PutItemCommand({ TableName: 'records', Item }));
const get = async (pk: string) =>
  (
    await client.send(
      new GetItemCommand({ TableName: 'records', Key: { pk: { S: pk } }, ConsistentRead: true }),
    )
  ).Item;

before(async () => {
  server = await start();
  client = clientFor();
});
after(async () => {
  client.destroy();
  await server.close();
  stage.remove();
});

test('what is put is read, updated, queried, scanned and deleted', async () => {
  await put({
    pk: { S: 'a' },
    n: { N: '1' },
    codes: { BS: [Buffer.from([0xff, 1]), Buffer.from([0xfe, 2])] },
  });
  const updated = await client.send(
    new UpdateItemCommand({
      TableName: 'records',
      Key: { pk: { S: 'a' } },
      UpdateExpression: 'SET n = n + :one DELETE codes :code',
      ConditionExpression: 'contains(codes, :member)',
      ExpressionAttributeValues: {
        ':one': { N: '1' },
        ':code': { BS: [Buffer.from([0xff, 1])] },
        ':member': { B: Buffer.from([0xff, 1]) },
      },
      ReturnValues: 'ALL_NEW',
      ReturnConsumedCapacity: 'TOTAL',
    }),
  );
  assert.deepEqual(updated.Attributes?.['n'], { N: '2' });
  assert.deepEqual(
    updated.Attributes?.['codes']?.BS?.map((code) => [...code]),
    [[0xfe, 2]],
  );
  assert.equal(updated.ConsumedCapacity?.CapacityUnits, 1);

  for (const at of ['1', '2', '10']) {
    await client.send(new PutItemCommand({ TableName: 'events', Item: { pk: { S: 'e' }, at: { N: at } } }));
  }
  const queried = await client.send(
    new QueryCommand({
      TableName: 'events',
      KeyConditionExpression: 'pk = :pk AND #at >= :from',
      ExpressionAttributeNames: { '#at': 'at' },
      ExpressionAttributeValues: { ':pk': { S: 'e' }, ':from': { N: '2' } },
    }),
  );
  assert.deepEqual(
    queried.Items?.map((item) => item['at']?.N),
    ['2', '10'],
  );
  assert.equal((await client.send(new ScanCommand({ TableName: 'events' }))).Count, 3);

  await client.send(new DeleteItemCommand({ TableName: 'records', Key: { pk: { S: 'a' } } }));
  assert.equal(await get('a'), undefined);
});

test('batches write and read', async () => {
  await client.send(
    new BatchWriteItemCommand({
      RequestItems: {
        records: [
          { PutRequest: { Item: { pk: { S: 'b1' } } } },
          { PutRequest: { Item: { pk: { S: 'b2' } } } },
        ],
      },
    }),
  );
  const read = await client.send(
    new BatchGetItemCommand({
      RequestItems: { records: { Keys: [{ pk: { S: 'b1' } }, { pk: { S: 'b2' } }, { pk: { S: 'b3' } }] } },
    }),
  );
  assert.equal(read.Responses?.['records']?.length, 2);
});

test('tables are listed and described, never made', async () => {
  assert.deepEqual((await client.send(new ListTablesCommand({}))).TableNames, ['events', 'records']);
  const { Table } = await client.send(new DescribeTableCommand({ TableName: 'events' }));
  assert.equal(Table?.TableStatus, 'ACTIVE');
  assert.equal(Table?.TableArn, `${ARN}events`);
  assert.equal(Table?.SSEDescription?.KMSMasterKeyArn, KEY_ARN);
  await assert.rejects(client.send(new DescribeTableCommand({ TableName: 'absent' })), {
    name: 'ResourceNotFoundException',
  });
  await assert.rejects(
    client.send(
      new TransactWriteItemsCommand({
        TransactItems: [{ Put: { TableName: 'records', Item: { pk: { S: 't' } } } }],
      }),
    ),
    /TransactWriteItems is not supported/,
  );
});

test('a failed condition hands back the item that failed it, only when asked', async () => {
  await put({ pk: { S: 'c' }, gen: { S: 'one' } });
  const refused = (more: object) =>
    client
      .send(
        new UpdateItemCommand({
          TableName: 'records',
          Key: { pk: { S: 'c' } },
          UpdateExpression: 'SET gen = :next',
          ConditionExpression: 'gen = :read',
          ExpressionAttributeValues: { ':next': { S: 'two' }, ':read': { S: 'zero' } },
          ...more,
        }),
      )
      .then(
        () => assert.fail('the condition held'),
        (error: unknown) => error,
      );
  const told = await refused({ ReturnValuesOnConditionCheckFailure: 'ALL_OLD' });
  assert.ok(told instanceof ConditionalCheckFailedException);
  assert.deepEqual(told.Item, { pk: { S: 'c' }, gen: { S: 'one' } });
  const plain = await refused({});
  assert.ok(plain instanceof ConditionalCheckFailedException);
  assert.equal(plain.Item, undefined);
  assert.equal(
    ((await refused({ ReturnValuesOnConditionCheckFailure: 'ALL' })) as Error).name,
    'ValidationException',
  );

  const absent = await client
    .send(
      new PutItemCommand({
        TableName: 'records',
        Item: { pk: { S: 'never' } },
        ConditionExpression: 'attribute_exists(pk)',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      }),
    )
    .catch((error: unknown) => error);
  assert.ok(absent instanceof ConditionalCheckFailedException);
  assert.equal(absent.Item, undefined);
});

test('of 200 parallel conditional updates exactly one succeeds, and every other sees its winner', async () => {
  await put({ pk: { S: 'race' }, step: { N: '1' } });
  const outcomes = await Promise.allSettled(
    Array.from({ length: 200 }, (_, attempt) =>
      client.send(
        new UpdateItemCommand({
          TableName: 'records',
          Key: { pk: { S: 'race' } },
          UpdateExpression: 'SET step = :step, attempt = :attempt',
          ConditionExpression: 'step < :step',
          ExpressionAttributeValues: { ':step': { N: '2' }, ':attempt': { N: String(attempt) } },
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      ),
    ),
  );
  const winners = outcomes.flatMap(({ status }, attempt) => (status === 'fulfilled' ? [attempt] : []));
  assert.equal(winners.length, 1);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') assert.equal(outcome.reason.Item.attempt.N, String(winners[0]));
  }
  assert.equal((await get('race'))?.['attempt']?.N, String(winners[0]));
});

test('conditions compare as DynamoDB does', async () => {
  const tree: AttributeValue = { M: { a: { L: [{ N: '1' }] } } };
  await put({
    pk: { S: 'k' },
    someBytes: { B: Buffer.from([0x80, 0xff]) },
    someSet: { BS: [Buffer.from([0x80])] },
    someList: { L: [tree] },
    aMap: tree,
    aBool: { BOOL: false },
    noText: { S: '' },
    n: { N: '10' },
  });
  const item = await get('k');
  const holds = (condition: string, value?: AttributeValue) =>
    client
      .send(
        new PutItemCommand({
          TableName: 'records',
          Item: item,
          ConditionExpression: condition,
          ...(value ? { ExpressionAttributeValues: { ':v': value } } : {}),
        }),
      )
      .then(
        () => true,
        (error: Error) => {
          assert.equal(error.name, 'ConditionalCheckFailedException', error.message);
          return false;
        },
      );

  // As UTF-8 text, 0x80 and 0x81 would be the same replacement character.
  assert.equal(await holds('contains(someSet, :v)', { B: Buffer.from([0x80]) }), true);
  assert.equal(await holds('contains(someSet, :v)', { B: Buffer.from([0x81]) }), false);
  assert.equal(await holds('begins_with(someBytes, :v)', { B: Buffer.from([0x80]) }), true);
  assert.equal(await holds('begins_with(someBytes, :v)', { B: Buffer.from([0x81]) }), false);
  assert.equal(await holds('aMap = :v', tree), true);
  assert.equal(await holds('aMap = :v', { M: { a: { L: [{ N: '2' }] } } }), false);
  assert.equal(await holds('contains(someList, :v)', tree), true);
  assert.equal(await holds('size(noText) = :v', { N: '0' }), true);
  assert.equal(await holds('aBool = :v', { BOOL: false }), true);
  assert.equal(await holds('attribute_type(aBool, :v)', { S: 'BOOL' }), true);
  assert.equal(await holds('n > :v', { N: '9' }), true);
  assert.equal(await holds('n > :v', { S: '9' }), false);
  assert.equal(await holds('n BETWEEN :v AND n', { N: '10.0' }), true);
  assert.equal(await holds('absent <> :v', { S: 'x' }), true);
  assert.equal(await holds('absent = nowhere'), false);
  assert.equal(await holds('absent < :v', { N: '1' }), false);
  assert.equal(await holds('attribute_not_exists(absent) AND NOT attribute_not_exists(aMap.a[0])'), true);
});

test('a filter picks from the page that was read, whatever the projection', async () => {
  for (const [at, kind] of Object.entries({ 1: 'x', 2: 'y', 3: 'x' })) {
    await client.send(
      new PutItemCommand({
        TableName: 'events',
        Item: { pk: { S: 'f' }, at: { N: at }, kind: { B: Buffer.from(kind) } },
      }),
    );
  }
  const query = (more: object) =>
    client.send(
      new QueryCommand({
        TableName: 'events',
        KeyConditionExpression: 'pk = :pk',
        FilterExpression: 'kind IN (:kind, nowhere)',
        ExpressionAttributeNames: { '#at': 'at' },
        ExpressionAttributeValues: { ':pk': { S: 'f' }, ':kind': { B: Buffer.from('x') } },
        ProjectionExpression: '#at',
        ...more,
      }),
    );
  const { Items, Count, ScannedCount } = await query({});
  assert.deepEqual(Items, [{ at: { N: '1' } }, { at: { N: '3' } }]);
  assert.deepEqual([Count, ScannedCount], [2, 3]);
  const limited = await query({ Limit: 2 });
  assert.deepEqual([limited.Count, limited.ScannedCount], [1, 2]);
  assert.deepEqual(limited.LastEvaluatedKey, { pk: { S: 'f' }, at: { N: '2' } });
  const counted = await query({
    Select: 'COUNT',
    ProjectionExpression: undefined,
    ExpressionAttributeNames: undefined,
  });
  assert.deepEqual([counted.Count, counted.Items], [2, undefined]);
});

test('a null within a value is refused and leaves the item free', async () => {
  // The SDK cannot say it, so the body is put in before signing.
  const body = JSON.stringify({ TableName: 'records', Item: { pk: { S: 'nulls' }, set: { SS: [null] } } });
  const odd = clientFor();
  odd.middlewareStack.add(
    (next) => (step) => {
      const request = step.request as { body: string; headers: Record<string, string> };
      request.body = body;
      request.headers['content-length'] = String(body.length);
      return next(step);
    },
    { step: 'build', priority: 'low' },
  );
  await assert.rejects(odd.send(new PutItemCommand({ TableName: 'records', Item: { pk: { S: 'x' } } })), {
    name: 'SerializationException',
  });
  odd.destroy();
  await put({ pk: { S: 'nulls' } });
});

test('an attribute set from another keeps its value when the other is added to', async () => {
  await put({ pk: { S: 'alias' }, now: { N: '1' } });
  await client.send(
    new UpdateItemCommand({
      TableName: 'records',
      Key: { pk: { S: 'alias' } },
      UpdateExpression: 'SET previous = #now, earliest = if_not_exists(earliest, #now) ADD #now :one',
      ExpressionAttributeNames: { '#now': 'now' },
      ExpressionAttributeValues: { ':one': { N: '1' } },
    }),
  );
  assert.deepEqual(await get('alias'), {
    pk: { S: 'alias' },
    now: { N: '2' },
    previous: { N: '1' },
    earliest: { N: '1' },
  });
});

test('a role does what its policy says and nothing else', async () => {
  const reader = clientFor(stage.principal('reader', [allow('dynamodb:GetItem', `${ARN}records`)]));
  const Key = { pk: { S: 'a' } };
  await reader.send(new GetItemCommand({ TableName: 'records', Key }));
  await assert.rejects(reader.send(new DeleteItemCommand({ TableName: 'records', Key })), {
    name: 'AccessDeniedException',
    message: `User: arn:aws:sts::${ACCOUNT}:assumed-role/reader/reader is not authorized to perform: dynamodb:DeleteItem on resource: ${ARN}records because no identity-based policy allows the dynamodb:DeleteItem action`,
  });
  await assert.rejects(reader.send(new GetItemCommand({ TableName: 'absent', Key })), {
    name: 'AccessDeniedException',
  });
  await assert.rejects(reader.send(new ListTablesCommand({})), { name: 'AccessDeniedException' });
  reader.destroy();
});

test('leading keys bound what a role reaches', async () => {
  const keys = { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['KEY#*'] } };
  const maker = clientFor(
    stage.principal('maker', [
      allow(
        ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'],
        `${ARN}*`,
        keys,
      ),
    ]),
  );
  const denied = { name: 'AccessDeniedException' };
  await maker.send(new PutItemCommand({ TableName: 'records', Item: { pk: { S: 'KEY#1' } } }));
  await assert.rejects(
    maker.send(new PutItemCommand({ TableName: 'records', Item: { pk: { S: 'USER#1' } } })),
    denied,
  );
  await assert.rejects(
    maker.send(new GetItemCommand({ TableName: 'records', Key: { pk: { S: 'USER#1' } } })),
    denied,
  );
  const batch = (names: string[]) =>
    new BatchGetItemCommand({ RequestItems: { records: { Keys: names.map((pk) => ({ pk: { S: pk } })) } } });
  await maker.send(batch(['KEY#1', 'KEY#2']));
  await assert.rejects(maker.send(batch(['KEY#1', 'USER#1'])), denied);
  const query = (pk: string) =>
    new QueryCommand({
      TableName: 'events',
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': { S: pk } },
    });
  await maker.send(query('KEY#1'));
  await assert.rejects(maker.send(query('USER#1')), denied);
  maker.destroy();
});

test('attributes and return values bound what a role sees', async () => {
  const bounded = clientFor(
    stage.principal('bounded', [
      allow(['dynamodb:GetItem', 'dynamodb:UpdateItem'], `${ARN}records`, {
        'ForAllValues:StringEquals': { 'dynamodb:Attributes': ['pk', 'n'] },
        StringEqualsIfExists: {
          'dynamodb:Select': 'SPECIFIC_ATTRIBUTES',
          'dynamodb:ReturnValues': ['NONE', 'UPDATED_NEW'],
        },
      }),
    ]),
  );
  const denied = { name: 'AccessDeniedException' };
  const Key = { pk: { S: 'bounded' } };
  const read = (more: object) => bounded.send(new GetItemCommand({ TableName: 'records', Key, ...more }));
  await read({ ProjectionExpression: 'pk, n' });
  await assert.rejects(read({}), denied);
  await assert.rejects(read({ ProjectionExpression: 'sealed' }), denied);
  const update = (UpdateExpression: string, ReturnValues: 'ALL_NEW' | 'UPDATED_NEW') =>
    bounded.send(
      new UpdateItemCommand({
        TableName: 'records',
        Key,
        UpdateExpression,
        ExpressionAttributeValues: { ':v': { N: '1' } },
        ReturnValues,
      }),
    );
  await update('SET n = :v', 'UPDATED_NEW');
  await assert.rejects(update('SET n = :v', 'ALL_NEW'), denied);
  await assert.rejects(update('SET sealed = :v', 'UPDATED_NEW'), denied);
  bounded.destroy();
});

test("a table under a customer's key needs kms:Decrypt from its caller", async () => {
  const caller = clientFor(keyless);
  await assert.rejects(caller.send(new ScanCommand({ TableName: 'events' })), {
    name: 'AccessDeniedException',
    message: /^KMS key access denied/,
  });
  await caller.send(new ScanCommand({ TableName: 'records' }));
  await caller.send(new DescribeTableCommand({ TableName: 'events' }));
  caller.destroy();
});

test('expired items stay readable for a while and then go', async () => {
  const expires = { N: String(stage.clock.seconds() - 1) };
  await put({ pk: { S: 'old' }, expires });
  await put({ pk: { S: 'kept' }, expires: { S: 'never' } });
  assert.ok(await get('old'));
  // Beyond five minutes the client's clock is put right by the server's date and the call sent again.
  client.destroy();
  client = clientFor(admin, 2);
  stage.clock.advance(300);
  assert.ok(await get('old'));
  stage.clock.advance(400);
  assert.equal(await get('old'), undefined);
  assert.ok(await get('kept'));

  const describe = async () =>
    (await client.send(new DescribeTimeToLiveCommand({ TableName: 'records' }))).TimeToLiveDescription;
  assert.deepEqual(await describe(), { TimeToLiveStatus: 'ENABLED', AttributeName: 'expires' });
  const TimeToLiveSpecification = { AttributeName: 'expires', Enabled: false };
  await client.send(new UpdateTimeToLiveCommand({ TableName: 'records', TimeToLiveSpecification }));
  assert.deepEqual(await describe(), { TimeToLiveStatus: 'DISABLED' });
  await assert.rejects(
    client.send(new UpdateTimeToLiveCommand({ TableName: 'records', TimeToLiveSpecification })),
    /already disabled/,
  );
});

test('what was written is there after reopening, and the folder takes one server at a time', async () => {
  await put({ pk: { S: 'durable' } });
  await assert.rejects(start(), /in use by another process/);
  await server.close();
  server = await start();
  client.destroy();
  client = clientFor(admin, 2);
  assert.ok(await get('durable'));
});

test('an acknowledged write outlives kill -9', async () => {
  const own = createStage();
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('./dynamodb-child.ts', import.meta.url)), own.folder],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let acknowledged = 0;
  child.stdout.on('data', (chunk) => {
    acknowledged = Number(String(chunk).trim().split('\n').at(-1));
    if (acknowledged >= 50) child.kill('SIGKILL');
  });
  const [, signal] = await once(child, 'exit');
  assert.equal(signal, 'SIGKILL');

  const writer = own.principal('writer', [allow('dynamodb:*', '*')]);
  const reopened = await startDynamoDb({
    surroundings: own.surroundings,
    folder: own.folder,
    tables: tables.slice(0, 1),
    mayDecryptVia: () => true,
  });
  const reader = new DynamoDBClient(clientOf(writer, reopened.endpoint));
  const { Count = 0 } = await reader.send(new ScanCommand({ TableName: 'records', Select: 'COUNT' }));
  reader.destroy();
  await reopened.close();
  own.remove();
  assert.ok(Count >= acknowledged, `${Count} of ${acknowledged}`);
});
