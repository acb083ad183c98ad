import { isDeepStrictEqual } from 'node:util';
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { unavailable } from '../core/error.ts';
import { type Factor, noFactor } from '../core/factor.ts';
import type { Records } from '../core/ports.ts';
import { randomId } from '../core/random.ts';
import type { User } from '../core/user.ts';
import type { Item } from './attributes.ts';
import { secondsNow } from './clock.ts';
import { factorOf, ITEM_VERSION, itemOf, WRITTEN_BY } from './record-item.ts';

/**
 * Seconds for which a write may be under way, sent twice (aws.ts). A change of the second factor is written as of their end:
 * another issuer's session that began meanwhile began without it, and would count as a later one.
 */
export const IN_FLIGHT = 2;

/**
 * The records in DynamoDB: one item a user, one strongly consistent read, one conditional write.
 *
 * Every write leaves a random id of its own and is conditional on the id that was read, so an item never changes between
 * a decision and its write. That is a stricter guard than any list of fields, and the same one for accepting and refusing.
 */
export function createRecords(dynamoDb: DynamoDBClient, tableName: string): Records {
  const read = async (user: User): Promise<Factor> => {
    const { Item } = await dynamoDb
      .send(new GetItemCommand({ TableName: tableName, Key: recordKey(user), ConsistentRead: true }))
      .catch(fault);
    return Item ? factorOf(Item) : noFactor;
  };

  const replace: Records['replace'] = async (user, before, after) => {
    const id = randomId();
    const next = { ...after, writtenBy: id };
    if (after.generation !== before.generation)
      next.changedAt = Math.max(after.changedAt, secondsNow()) + IN_FLIGHT;
    try {
      await dynamoDb.send(new UpdateItemCommand(updateOf(tableName, user, before, next)));
      return { written: true };
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) return fault(error);
      const stored = error.Item ? factorOf(error.Item) : noFactor;
      // The SDK sends again what was not answered. If the id is ours, the write happened and only its answer was lost.
      if (stored.writtenBy === id) return { written: true };
      // Not ours, after sending again: ours may have been written and written over. Nobody knows, so nobody is told.
      if ((error.$metadata.attempts ?? 1) > 1) return fault(error);
      return { written: false, stored };
    }
  };

  return { read, replace };
}

function updateOf(TableName: string, user: User, before: Factor, after: Factor): UpdateItemCommandInput {
  const names: Record<string, string> = {};
  const values: Item = {};
  const old = itemOf(before);
  const next = itemOf(after);
  const set: string[] = [];
  const remove: string[] = [];
  for (const name of new Set([...Object.keys(old), ...Object.keys(next)])) {
    const value = next[name];
    // Writes the version always: the record may be stored in a former one, which reading it does not tell.
    if (name !== ITEM_VERSION && isDeepStrictEqual(old[name], value)) continue;
    names[`#${name}`] = name;
    if (value === undefined) {
      remove.push(`#${name}`);
    } else {
      values[`:${name}`] = value;
      set.push(`#${name} = :${name}`);
    }
  }
  const guard = before.writtenBy === undefined ? 'attribute_not_exists(pk)' : `#${WRITTEN_BY} = :read`;
  if (before.writtenBy !== undefined) values[':read'] = { S: before.writtenBy };
  return {
    TableName,
    Key: recordKey(user),
    UpdateExpression: `SET ${set.join(', ')}${remove.length > 0 ? ` REMOVE ${remove.join(', ')}` : ''}`,
    ConditionExpression: guard,
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  };
}

/** A realm holds no `#` (settings.ts), so no two users share a key. */
export function recordKey({ realm, sub }: User): { pk: AttributeValue } {
  return { pk: { S: `USER#${realm}#${sub}` } };
}

function fault(error: unknown): never {
  throw unavailable(error);
}
