import { type AttributeValue, DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import type { Service } from '../../local/service.ts';

/** What is stored of a user, read with the operator's credentials; undefined where there is nothing. */
export async function storedRecord(
  service: Service,
  { sub }: { sub: string },
): Promise<Record<string, AttributeValue> | undefined> {
  const { local, clock } = service;
  const dynamoDb = new DynamoDBClient({
    endpoint: local.dynamodb.endpoint,
    region: local.operator.region,
    credentials: local.operator,
    systemClockOffset: clock.now() - Date.now(),
  });
  try {
    const { Item } = await dynamoDb.send(
      new GetItemCommand({
        TableName: local.dynamodb.tableName,
        Key: { pk: { S: `USER#users#${sub}` } },
        ConsistentRead: true,
      }),
    );
    return Item;
  } finally {
    dynamoDb.destroy();
  }
}

/** What was asked of AWS by the service's own functions while `work` ran, as `service:operation`. */
export async function callsDuring(service: Service, work: () => Promise<unknown>): Promise<string[]> {
  const before = service.calls.length;
  await work();
  return service.calls
    .slice(before)
    .filter(({ principal }) => principal?.includes(':assumed-role/') ?? true)
    .map(({ service: name, operation }) => `${name}:${operation}`);
}
