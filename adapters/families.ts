import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { unavailable } from '../core/error.ts';
import type { Families } from '../core/ports.ts';
import { randomId } from '../core/random.ts';

/** TTL deletion is lazy, and a family must outlive its last token: a margin, in seconds. */
const MARGIN = 3600;

/**
 * Refresh families in DynamoDB. A family has no item until its first refresh or its logout; the item says which sequence
 * is next (`n`), or that the family has ended (`z`).
 */
export function createFamilies(dynamoDb: DynamoDBClient, tableName: string): Families {
  const end = async (family: string, endsAt: number): Promise<void> => {
    await dynamoDb
      .send(
        new UpdateItemCommand({
          ...itemOf(tableName, family),
          UpdateExpression: 'SET z = :ended, #ttl = :ttl',
          ExpressionAttributeNames: { '#ttl': 'ttl' },
          ExpressionAttributeValues: { ':ended': { BOOL: true }, ':ttl': { N: String(endsAt + MARGIN) } },
        }),
      )
      .catch((error: unknown) => {
        throw unavailable(error);
      });
  };

  const advance: Families['advance'] = async (family, sequence, endsAt) => {
    const id = randomId();
    try {
      await dynamoDb.send(new UpdateItemCommand(advanceOf(tableName, family, sequence, endsAt, id)));
      return true;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw unavailable(error);
      // Ended, be it between our write and its being sent again.
      if (error.Item?.['z']?.BOOL) return false;
      // The SDK sent again what it had written already, and only the answer was lost: the next token of this family was not
      // handed out yet, so that nobody can have used it.
      if (error.Item?.['w']?.S === id) return true;
      // Used before: this copy or the other one is in the wrong hands (RFC 9700 §4.14.2).
      await end(family, endsAt);
      return false;
    }
  };

  const isEnded: Families['isEnded'] = async (family) => {
    const read = new GetItemCommand({ ...itemOf(tableName, family), ConsistentRead: true });
    const { Item } = await dynamoDb.send(read).catch((error: unknown) => {
      throw unavailable(error);
    });
    return Item?.['z'] !== undefined;
  };

  return { advance, end, isEnded };
}

function advanceOf(
  tableName: string,
  family: string,
  sequence: number,
  endsAt: number,
  id: string,
): UpdateItemCommandInput {
  const first = sequence === 0;
  return {
    ...itemOf(tableName, family),
    UpdateExpression: 'SET n = :next, w = :id, #ttl = :ttl',
    ConditionExpression: first ? 'attribute_not_exists(pk)' : 'n = :sequence AND attribute_not_exists(z)',
    ExpressionAttributeNames: { '#ttl': 'ttl' },
    ExpressionAttributeValues: {
      ':next': { N: String(sequence + 1) },
      ':id': { S: id },
      ':ttl': { N: String(endsAt + MARGIN) },
      ...(!first && { ':sequence': { N: String(sequence) } }),
    },
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  };
}

function itemOf(TableName: string, family: string) {
  return { TableName, Key: { pk: { S: `FAMILY#${family}` } } };
}
