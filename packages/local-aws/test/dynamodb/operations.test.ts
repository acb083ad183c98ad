import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DeleteItemCommand,
  DescribeTableCommand,
  ListTablesCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { ARN, KEY_ARN, runDynamoDb } from './running.ts';

const { stage, client, clientFor, put, get, close } = await runDynamoDb();
after(async () => {
  await close();
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
