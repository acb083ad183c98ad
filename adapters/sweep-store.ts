import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  ScanCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { Factor } from '../core/factor.ts';
import type { Sweep, SweepStore } from '../core/sweep.ts';
import type { User } from '../core/user.ts';
import { readRing, writeRing } from './key-store.ts';
import { factorOf, type Item, itemOf, WRITTEN_BY } from './record-item.ts';
import { recordKey } from './records.ts';

/** Records read at a time; with a second between pages, the rate of the sweep. */
const PAGE = 25;

const JOB = { pk: { S: 'JOB#reseal' } };

/** The sweep's state and its way over the table. */
export function createSweepStore(dynamoDb: DynamoDBClient, TableName: string): SweepStore {
  return {
    async load() {
      const { Item } = await dynamoDb.send(new GetItemCommand({ TableName, Key: JOB, ConsistentRead: true }));
      return Item?.['sweep']?.S === undefined ? undefined : (JSON.parse(Item['sweep'].S) as Sweep);
    },
    async save(sweep) {
      if (sweep) {
        const Item = { ...JOB, sweep: { S: JSON.stringify(sweep) } };
        await dynamoDb.send(new PutItemCommand({ TableName, Item }));
      } else {
        await dynamoDb.send(new DeleteItemCommand({ TableName, Key: JOB }));
      }
    },
    async page(cursor) {
      const { Items = [], LastEvaluatedKey } = await dynamoDb.send(
        new ScanCommand({
          TableName,
          Limit: PAGE,
          ConsistentRead: true,
          FilterExpression: 'begins_with(pk, :user)',
          ExpressionAttributeValues: { ':user': { S: 'USER#' } },
          ...(cursor !== undefined && { ExclusiveStartKey: { pk: { S: cursor } } }),
        }),
      );
      return { records: Items.map(recordOf), cursor: LastEvaluatedKey?.['pk']?.S };
    },
    async reseal(user, read, next) {
      try {
        await dynamoDb.send(new UpdateItemCommand(resealOf(TableName, user, read, next)));
      } catch (error) {
        // Somebody used it meanwhile: the next sweep sees what they left.
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
      }
    },
    async keys(kind) {
      return (await readRing(dynamoDb, TableName, kind)).keys;
    },
    async retire(kind, ids) {
      const ring = await readRing(dynamoDb, TableName, kind);
      await writeRing(
        dynamoDb,
        TableName,
        kind,
        ring,
        ring.keys.filter(({ id }) => !ids.includes(id)),
      );
    },
  };
}

/** `USER#<realm>#<sub>`: a realm holds no `#`, a sub may. */
function recordOf(item: Item): { user: User; factor?: Factor } {
  const [, realm = '', ...sub] = (item['pk']?.S ?? '').split('#');
  const user = { realm, sub: sub.join('#') };
  try {
    return { user, factor: factorOf(item) };
  } catch {
    return { user };
  }
}

/**
 * Only the boxes change, and the id of the last write stays: to an attempt that is under way the record is the one it
 * read, so nobody's code is refused because of a sweep.
 */
function resealOf(TableName: string, user: User, read: Factor, next: Factor) {
  const { a, p } = itemOf(next);
  const values: Record<string, AttributeValue> = { ':read': { S: read.writtenBy ?? '' } };
  const set: string[] = [];
  for (const [name, value] of Object.entries({ a, p })) {
    if (!value) continue;
    values[`:${name}`] = value;
    set.push(`${name} = :${name}`);
  }
  return {
    TableName,
    Key: recordKey(user),
    UpdateExpression: `SET ${set.join(', ')}`,
    ConditionExpression: `${WRITTEN_BY} = :read`,
    ExpressionAttributeValues: values,
  };
}
