// Writes until it is killed, printing the number of each write that was acknowledged.
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { startDynamoDb } from '../../local/dynamodb.ts';
import { ACCOUNT, allow, clientOf, createStage, REGION } from './aws/stage.ts';

const stage = createStage();
stage.remove();
const writer = stage.principal('writer', [allow('dynamodb:*', '*')]);
const server = await startDynamoDb({
  surroundings: stage.surroundings,
  folder: process.argv[2] ?? '',
  tables: [
    {
      name: 'records',
      arn: `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/records`,
      keySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      attributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    },
  ],
  mayDecryptVia: () => true,
});
const client = new DynamoDBClient(clientOf(writer, server.endpoint));
for (let count = 1; ; count++) {
  await client.send(new PutItemCommand({ TableName: 'records', Item: { pk: { S: String(count) } } }));
  console.log(count);
}
