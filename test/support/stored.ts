import assert from 'node:assert/strict';
import { type AttributeValue, DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { factorOf } from '../../adapters/record-item.ts';
import { type Factor, noFactor } from '../../core/factor.ts';
import type { Service } from '../../local/service.ts';

/** Returns a DynamoDB client with the operator's credentials and the service's time. */
export function dynamoDbOf({ local, clock }: Pick<Service, 'local' | 'clock'>): DynamoDBClient {
  return new DynamoDBClient({
    endpoint: local.dynamodb.endpoint,
    region: local.operator.region,
    credentials: local.operator,
    systemClockOffset: clock.now() - Date.now(),
  });
}

/** Returns an item of the table, read with the operator's credentials, or undefined if there is none. */
export async function storedItem(
  service: Pick<Service, 'local' | 'clock'>,
  pk: string,
): Promise<Record<string, AttributeValue> | undefined> {
  const dynamoDb = dynamoDbOf(service);
  try {
    const { Item } = await dynamoDb.send(
      new GetItemCommand({
        TableName: service.local.dynamodb.tableName,
        Key: { pk: { S: pk } },
        ConsistentRead: true,
      }),
    );
    return Item;
  } finally {
    dynamoDb.destroy();
  }
}

/** Returns a user's stored record, or undefined if there is none. */
export async function storedRecord(
  service: Service,
  { sub }: { sub: string },
): Promise<Record<string, AttributeValue> | undefined> {
  return storedItem(service, `USER#users#${sub}`);
}

/** Returns an authenticator of a record in its stored form. */
export function authenticatorIn(
  record: Record<string, AttributeValue>,
  index = 0,
): Record<string, AttributeValue> {
  return record['a']?.L?.[index]?.M ?? assert.fail('no authenticator');
}

/** Returns a user's stored record in the domain's form. */
export async function storedFactor(service: Service, person: { sub: string }): Promise<Factor> {
  const item = await storedRecord(service, person);
  return item ? factorOf(item) : noFactor;
}

/** Returns the AWS calls of the service's own functions while `work` ran, as `service:operation`. */
export async function callsDuring(service: Service, work: () => Promise<unknown>): Promise<string[]> {
  const before = service.calls.length;
  await work();
  return service.calls
    .slice(before)
    .filter(({ principal }) => principal?.includes(':assumed-role/') ?? true)
    .map(({ service: name, operation }) => `${name}:${operation}`);
}
