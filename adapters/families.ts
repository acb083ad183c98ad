import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { unavailable } from '../core/error.ts';
import type { Families, FamilyTimes } from '../core/ports.ts';
import { randomId } from '../core/random.ts';

/** Seconds that a family's item outlives its last token. TTL deletion is lazy. */
const MARGIN = 3600;

/** Undefined if the write succeeded; otherwise the stored item, `{}` if there is none. */
type Refused = Record<string, AttributeValue> | undefined;

/**
 * Stores refresh families in DynamoDB. A family has no item until its first refresh or its logout. The item
 * holds the next sequence (`n`), when it became the next (`t`) and by which write (`w`), the write that has
 * used the grace of this step (`g`), and whether the family has ended (`z`).
 *
 * @returns methods that throw CountersignError `temporarily_unavailable` if DynamoDB fails
 */
export function createFamilies(dynamoDb: DynamoDBClient, tableName: string): Families {
  const write = async (input: UpdateItemCommandInput): Promise<Refused> => {
    try {
      await dynamoDb.send(new UpdateItemCommand(input));
      return undefined;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return error.Item ?? {};
      throw unavailable(error);
    }
  };

  const end = async (family: string, endsAt: number): Promise<void> => {
    await write({
      ...itemOf(tableName, family),
      UpdateExpression: 'SET z = :ended, #ttl = :ttl',
      ExpressionAttributeNames: { '#ttl': 'ttl' },
      ExpressionAttributeValues: { ':ended': { BOOL: true }, ':ttl': { N: String(endsAt + MARGIN) } },
    });
  };

  const advance: Families['advance'] = async (family, sequence, times) => {
    const id = randomId();
    const stored = await write(advanceOf(tableName, family, sequence, times, id));
    // The SDK retries a write that succeeded if its response was lost. The item then holds our own id.
    if (!stored || wroteIt(stored, 'w', id)) return true;
    if (isWithinGrace(stored, sequence, times)) {
      const afterwards = await write(graceOf(tableName, family, stored, id));
      if (!afterwards || wroteIt(afterwards, 'g', id)) return true;
      if (hasEnded(afterwards)) return false;
    }
    if (hasEnded(stored)) return false;
    // The token was used before: one of its copies may be stolen (RFC 9700 §4.14.2).
    await end(family, times.endsAt);
    return false;
  };

  const isEnded: Families['isEnded'] = async (family) => {
    const read = new GetItemCommand({ ...itemOf(tableName, family), ConsistentRead: true });
    const { Item } = await dynamoDb.send(read).catch((error: unknown) => {
      throw unavailable(error);
    });
    return Item !== undefined && hasEnded(Item);
  };

  return { advance, end, isEnded };
}

/**
 * Checks whether our write is stored. False if the family has ended, even between our write and its retry.
 */
function wroteIt(stored: Record<string, AttributeValue>, name: 'w' | 'g', id: string): boolean {
  return stored[name]?.S === id && !hasEnded(stored);
}

function hasEnded(stored: Record<string, AttributeValue>): boolean {
  return stored['z']?.BOOL === true;
}

/**
 * Checks whether this is the previous token, used again in time and for the first time. The clocks of two
 * containers may differ, so the time between counts in either direction.
 */
function isWithinGrace(
  stored: Record<string, AttributeValue>,
  sequence: number,
  { now, grace }: FamilyTimes,
): boolean {
  const { n: next, t: advancedAt, g: used } = stored;
  if (grace === 0 || hasEnded(stored) || used !== undefined || !advancedAt?.N) return false;
  return next?.N === String(sequence + 1) && Math.abs(now - Number(advancedAt.N)) <= grace;
}

function advanceOf(
  tableName: string,
  family: string,
  sequence: number,
  { endsAt, now }: FamilyTimes,
  id: string,
): UpdateItemCommandInput {
  const first = sequence === 0;
  return {
    ...itemOf(tableName, family),
    UpdateExpression: 'SET n = :next, t = :now, w = :id, #ttl = :ttl REMOVE g',
    ConditionExpression: first ? 'attribute_not_exists(pk)' : 'n = :sequence AND attribute_not_exists(z)',
    ExpressionAttributeNames: { '#ttl': 'ttl' },
    ExpressionAttributeValues: {
      ':next': { N: String(sequence + 1) },
      ':now': { N: String(now) },
      ':id': { S: id },
      ':ttl': { N: String(endsAt + MARGIN) },
      ...(!first && { ':sequence': { N: String(sequence) } }),
    },
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  };
}

/** Marks the grace of the step that was read as used, if the item is unchanged since. */
function graceOf(
  tableName: string,
  family: string,
  { n, t }: Record<string, AttributeValue>,
  id: string,
): UpdateItemCommandInput {
  return {
    ...itemOf(tableName, family),
    UpdateExpression: 'SET g = :id',
    ConditionExpression: 'n = :n AND t = :t AND attribute_not_exists(g) AND attribute_not_exists(z)',
    ExpressionAttributeValues: { ':id': { S: id }, ...(n && { ':n': n }), ...(t && { ':t': t }) },
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  };
}

function itemOf(TableName: string, family: string) {
  return { TableName, Key: { pk: { S: `FAMILY#${family}` } } };
}
