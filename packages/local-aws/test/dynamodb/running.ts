import {
  type AttributeValue,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { startDynamoDb } from '../../src/dynamodb/server.ts';
import type { TableDefinition } from '../../src/dynamodb/tables.ts';
import { ACCOUNT, allow, clientOf, createStage, REGION } from '../../testing/stage.ts';

export const ARN = `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/`;
export const KEY_ARN = `arn:aws:kms:${REGION}:${ACCOUNT}:key/the-tables`;
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

interface RunOptions {
  stage?: ReturnType<typeof createStage>;
  /** @default the stage's */
  folder?: string;
  /** Of `client`. Beyond five minutes the SDK puts its clock right by the server's date, and sends the call again. */
  attempts?: number;
}

/** A running DynamoDB with the tables `records` and `events`, and what its administrator does with the first. */
export async function runDynamoDb({ stage = createStage(), folder, attempts = 1 }: RunOptions = {}) {
  const admin = stage.principal('admin', [allow('dynamodb:*', '*')]);
  const keyless = stage.principal('keyless', [allow('dynamodb:*', '*')]);
  const server = await startDynamoDb({
    context: stage.context,
    folder: folder ?? stage.folder,
    tables,
    mayDecryptVia: (principal, keyArn, via) =>
      principal !== keyless && keyArn === KEY_ARN && via === `dynamodb.${REGION}.amazonaws.com`,
  });
  const clientFor = (principal = admin, maxAttempts = 1) =>
    new DynamoDBClient(clientOf(principal, server.endpoint, maxAttempts));
  const client = clientFor(admin, attempts);
  return {
    stage,
    /** May do everything, but not with the key of `events`. */
    keyless,
    client,
    clientFor,
    put: (Item: Record<string, AttributeValue>) =>
      client.send(new PutItemCommand({ TableName: 'records', Item })),
    async get(pk: string): Promise<Record<string, AttributeValue> | undefined> {
      const key = { TableName: 'records', Key: { pk: { S: pk } }, ConsistentRead: true };
      return (await client.send(new GetItemCommand(key))).Item;
    },
    async close(): Promise<void> {
      client.destroy();
      await server.close();
    },
  };
}
