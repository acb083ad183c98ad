import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import {
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  ScanCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { ACCOUNT, allow } from '../../testing/stage.ts';
import { ARN, runDynamoDb } from './running.ts';

const { stage, clientFor, keyless, close } = await runDynamoDb();
after(async () => {
  await close();
  stage.remove();
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
  reader.destroy();
});

test('leading keys bound what a role reaches', async () => {
  const keys = { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['KEY#*'] } };
  const maker = clientFor(
    stage.principal('maker', [allow(['dynamodb:GetItem', 'dynamodb:PutItem'], `${ARN}*`, keys)]),
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
  caller.destroy();
});
