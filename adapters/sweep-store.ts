import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  ScanCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import type { Factor } from '../core/factor.ts';
import { randomId } from '../core/random.ts';
import type { Sweep, SweepStore } from '../core/sweep.ts';
import type { User } from '../core/user.ts';
import type { Item } from './attributes.ts';
import { readRing, writeRing } from './key-store.ts';
import { factorOf, itemOf, WRITTEN_BY } from './record-item.ts';
import { recordKey } from './records.ts';

/** Items read at a time; with a second between pages, the rate of the sweep. */
const PAGE = 25;

/** Seconds for which a run has the job: longer than Lambda lets any function run (15 min). */
export const HELD = 960;

const JOB = { pk: { S: 'JOB#reseal' } };

/**
 * The sweep's job and its way over the table, for one run. The job's item says which run has it: schedules may deliver
 * twice, and somebody may invoke by hand.
 */
export function createSweepStore(dynamoDb: DynamoDBClient, TableName: string): SweepStore {
  const run = { S: randomId() };
  const updateJob = (input: Partial<UpdateItemCommandInput>) =>
    dynamoDb.send(new UpdateItemCommand({ TableName, Key: JOB, ...input }));

  return {
    async take(now) {
      try {
        const { Attributes } = await updateJob({
          UpdateExpression: 'SET run = :run, heldUntil = :until',
          // Ours, where only the answer was lost and the SDK sends again.
          ConditionExpression: 'attribute_not_exists(run) OR run = :run OR heldUntil < :now',
          ExpressionAttributeValues: {
            ':run': run,
            ':until': { N: String(now + HELD) },
            ':now': { N: String(now) },
          },
          ReturnValues: 'ALL_NEW',
        });
        const sweep = Attributes?.['sweep']?.S;
        return {
          sweep: sweep === undefined ? undefined : (JSON.parse(sweep) as Sweep),
          endedAt: Number(Attributes?.['endedAt']?.N ?? 0),
        };
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return undefined;
        throw error;
      }
    },
    async save({ sweep, endedAt }) {
      await updateJob({
        UpdateExpression: sweep
          ? 'SET sweep = :sweep, endedAt = :endedAt'
          : 'SET endedAt = :endedAt REMOVE sweep',
        ConditionExpression: 'run = :run',
        ExpressionAttributeValues: {
          ':run': run,
          ':endedAt': { N: String(endedAt) },
          ...(sweep && { ':sweep': { S: JSON.stringify(sweep) } }),
        },
      });
    },
    async release() {
      await updateJob({
        UpdateExpression: 'REMOVE run, heldUntil',
        ConditionExpression: 'run = :run',
        ExpressionAttributeValues: { ':run': run },
        // If this fails, its time runs out.
      }).catch(() => undefined);
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
      const written = await dynamoDb
        .send(new UpdateItemCommand(resealOf(TableName, user, read, next)))
        .catch(unlessRefused);
      return written !== undefined;
    },
    async keys(kind) {
      return (await readRing(dynamoDb, TableName, kind)).keys;
    },
    async retire(kind, ids) {
      const ring = await readRing(dynamoDb, TableName, kind);
      const kept = ring.keys.filter(({ id }) => !ids.includes(id));
      if (await writeRing(dynamoDb, TableName, kind, ring, kept)) return true;
      // Changed meanwhile, be it by our own write, sent again because its answer was lost.
      const { keys } = await readRing(dynamoDb, TableName, kind);
      return !keys.some(({ id }) => ids.includes(id));
    },
  };
}

/** A condition that does not hold is an answer. */
function unlessRefused(error: unknown): undefined {
  if (!(error instanceof ConditionalCheckFailedException)) throw error;
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
function resealOf(TableName: string, user: User, read: Factor, next: Factor): UpdateItemCommandInput {
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
