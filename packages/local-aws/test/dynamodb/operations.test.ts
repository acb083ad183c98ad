import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import {
  DeleteItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { runDynamoDb } from './running.ts';

const { stage, client, clientFor, put, get, close } = await runDynamoDb();
after(async () => {
  await close();
  stage.remove();
});

test('what is put is read, updated, scanned and deleted', async () => {
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
      ConditionExpression: 'n = :one',
      ExpressionAttributeValues: {
        ':one': { N: '1' },
        ':code': { BS: [Buffer.from([0xff, 1])] },
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
  assert.equal((await client.send(new ScanCommand({ TableName: 'events' }))).Count, 3);

  await client.send(new DeleteItemCommand({ TableName: 'records', Key: { pk: { S: 'a' } } }));
  assert.equal(await get('a'), undefined);
});

test('a table that is not there, and an operation that is not emulated, are refused', async () => {
  await assert.rejects(client.send(new ScanCommand({ TableName: 'absent' })), {
    name: 'ResourceNotFoundException',
  });
  await assert.rejects(
    client.send(
      new QueryCommand({
        TableName: 'events',
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': { S: 'e' } },
      }),
    ),
    { name: 'UnknownOperationException' },
  );
});

test('a filter picks from the page that was read, whatever the projection', async () => {
  for (const [pk, kind] of Object.entries({ f1: 'x', f2: 'y', f3: 'x' })) {
    await put({ pk: { S: pk }, kind: { S: kind } });
  }
  const scan = (more: object) =>
    client.send(
      new ScanCommand({
        TableName: 'records',
        FilterExpression: 'begins_with(pk, :prefix) AND kind = :kind',
        ExpressionAttributeValues: { ':prefix': { S: 'f' }, ':kind': { S: 'x' } },
        ProjectionExpression: 'pk',
        ...more,
      }),
    );
  const { Items = [], Count, ScannedCount } = await scan({});
  assert.deepEqual(Items.map(({ pk, ...others }) => [pk?.S, others]).toSorted(), [
    ['f1', {}],
    ['f3', {}],
  ]);
  assert.equal(Count, 2);
  assert.ok(ScannedCount !== undefined && ScannedCount >= 3);
  const limited = await scan({ Limit: 1 });
  assert.equal(limited.ScannedCount, 1);
  assert.ok(limited.LastEvaluatedKey);
  const counted = await scan({ Select: 'COUNT', ProjectionExpression: undefined });
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
