import {
  type AttributeValue,
  DeleteItemCommand,
  PutItemCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import type { Service } from '../../local/service.ts';
import { dynamoDbOf } from './stored.ts';

export type Item = Record<string, AttributeValue>;

/** Returns the whole table, as an attacker sees it who may read it but not use the KMS keys. */
export async function wholeTable(service: Service): Promise<Item[]> {
  const dynamoDb = dynamoDbOf(service);
  const { tableName: TableName } = service.local.dynamodb;
  try {
    const items: Item[] = [];
    let start: Item | undefined;
    do {
      const page = await dynamoDb.send(
        new ScanCommand({ TableName, ConsistentRead: true, ExclusiveStartKey: start }),
      );
      items.push(...(page.Items ?? []));
      start = page.LastEvaluatedKey;
    } while (start);
    return items;
  } finally {
    dynamoDb.destroy();
  }
}

/** Overwrites an item, as an attacker can who may write the table. */
export async function overwrite(service: Service, item: Item): Promise<void> {
  const dynamoDb = dynamoDbOf(service);
  try {
    await dynamoDb.send(new PutItemCommand({ TableName: service.local.dynamodb.tableName, Item: item }));
  } finally {
    dynamoDb.destroy();
  }
}

/** Deletes an item, as an attacker can who may write the table. */
export async function erase(service: Pick<Service, 'local' | 'clock'>, pk: string): Promise<void> {
  const dynamoDb = dynamoDbOf(service);
  try {
    await dynamoDb.send(
      new DeleteItemCommand({ TableName: service.local.dynamodb.tableName, Key: { pk: { S: pk } } }),
    );
  } finally {
    dynamoDb.destroy();
  }
}

/** Returns every text, number, name and byte string in a value or an item. */
export function contentsOf(value: AttributeValue | Item): (string | Uint8Array)[] {
  if (value instanceof Uint8Array) return [value];
  if (typeof value !== 'object' || value === null) return [String(value)];
  return Object.entries(value).flatMap(([name, inner]) => [name, ...contentsOf(inner as AttributeValue)]);
}
