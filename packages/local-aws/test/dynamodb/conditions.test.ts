import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { runDynamoDb } from './running.ts';

const { stage, client, put, get, close } = await runDynamoDb();
after(async () => {
  await close();
  stage.remove();
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
  const item = {
    pk: { S: 'k' },
    word: { S: 'abc' },
    n: { N: '10' },
    aBool: { BOOL: false },
    blank: { S: '' },
  };
  await put(item);
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

  assert.equal(await holds('n = :v', { N: '10.0' }), true);
  assert.equal(await holds('n = :v', { S: '10' }), false);
  assert.equal(await holds('n <> :v', { N: '11' }), true);
  assert.equal(await holds('n > :v', { N: '9' }), true);
  assert.equal(await holds('n <= :v', { N: '9' }), false);
  assert.equal(await holds('blank = :v', { S: '' }), true);
  assert.equal(await holds('begins_with(word, :v)', { S: 'ab' }), true);
  assert.equal(await holds('begins_with(word, :v)', { S: 'b' }), false);
  assert.equal(await holds('begins_with(absent, :v)', { S: 'b' }), false);
  assert.equal(await holds('absent = :v', { S: '' }), false);
  assert.equal(await holds('absent <> :v', { S: 'x' }), true);
  assert.equal(await holds('absent < :v', { N: '1' }), false);
  assert.equal(await holds('attribute_not_exists(absent) AND NOT attribute_not_exists(aBool)'), true);
  assert.equal(await holds('attribute_not_exists(pk) OR n = :v', { N: '10' }), true);
});

test('what dynalite would evaluate otherwise than DynamoDB is refused', async () => {
  const refused = { name: 'UnsupportedOperationException', message: /does not evaluate/ };
  const write = (more: object, values?: Record<string, AttributeValue>) =>
    client.send(
      new UpdateItemCommand({
        TableName: 'records',
        Key: { pk: { S: 'k' } },
        ...more,
        ...(values && { ExpressionAttributeValues: values }),
      }),
    );
  for (const [condition, value] of [
    ['word = :v', { B: Buffer.from([0x80]) }],
    ['contains(codes, :v)', { B: Buffer.from([0x80]) }],
    ['begins_with(codes, :v)', { B: Buffer.from([0x80]) }],
    ['aTree = :v', { M: {} }],
    ['word < :v', { S: 'b' }],
    ['size(word) = :v', { N: '3' }],
    ['word IN (:v)', { S: 'abc' }],
    ['n BETWEEN :v AND :v', { N: '1' }],
    ['NOT (attribute_exists(pk) AND aTree = :v)', { L: [] }],
  ] as const) {
    await assert.rejects(
      write({ ConditionExpression: condition }, { ':v': value as AttributeValue }),
      refused,
      condition,
    );
  }
  await assert.rejects(write({ ConditionExpression: 'absent = nowhere' }), refused);
  await assert.rejects(write({ UpdateExpression: 'SET a = n' }), refused);
  await assert.rejects(write({ UpdateExpression: 'SET a = if_not_exists(a, n)' }), refused);
  await assert.rejects(write({ Expected: { n: { Exists: false } } }), refused);
});
