import { isDeepStrictEqual } from 'node:util';
import {
  type AttributeValue,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { factorOf } from '../../adapters/record-item.ts';
import { type Factor, noFactor } from '../../core/factor.ts';
import type { Service } from '../../local/service.ts';

export type Item = Record<string, AttributeValue> | undefined;
/** Items by their keys; undefined where there is none. */
export type Stored = Record<string, Item>;

/** Reads and sets items with the operator's credentials, which no fault of these tests is for. */
export function storeOf({ local, clock }: Pick<Service, 'local' | 'clock'>) {
  const dynamoDb = new DynamoDBClient({
    endpoint: local.dynamodb.endpoint,
    region: local.operator.region,
    credentials: local.operator,
    systemClockOffset: clock.now() - Date.now(),
  });
  const TableName = local.dynamodb.tableName;
  const read = async (pk: string): Promise<Item> => {
    const key = { TableName, Key: { pk: { S: pk } }, ConsistentRead: true };
    return (await dynamoDb.send(new GetItemCommand(key))).Item;
  };
  const set = async (pk: string, item: Item): Promise<void> => {
    if (item) await dynamoDb.send(new PutItemCommand({ TableName, Item: item }));
    else await dynamoDb.send(new DeleteItemCommand({ TableName, Key: { pk: { S: pk } } }));
  };
  return {
    read,
    set,
    async readAll(keys: string[]): Promise<Stored> {
      return Object.fromEntries(await Promise.all(keys.map(async (pk) => [pk, await read(pk)] as const)));
    },
    async setAll(stored: Stored): Promise<void> {
      await Promise.all(Object.entries(stored).map(([pk, item]) => set(pk, item)));
    },
    close: () => dynamoDb.destroy(),
  };
}

/** What happened between two states, without what is random or a time: the same for every run of one operation. */
export function changesOf(before: Stored, after: Stored): Record<string, unknown> {
  const changes = Object.keys(before)
    .filter((pk) => !isDeepStrictEqual(before[pk], after[pk]))
    .map((pk) => {
      const kind = pk.split('#')[0] ?? '';
      return [kind, kind === 'USER' ? changeOfFactor(before[pk], after[pk]) : changeOfFamily(after[pk])];
    });
  return Object.fromEntries(changes);
}

function changeOfFactor(beforeItem: Item, afterItem: Item) {
  const [before, after] = [beforeItem, afterItem].map(
    (item): Factor => (item ? factorOf(item) : noFactor),
  ) as [Factor, Factor];
  const guesses = ({ recentFailures }: Factor) => recentFailures.reduce((sum, { count }) => sum + count, 0);
  return {
    generation: before.generation !== after.generation,
    authenticators: after.authenticators.map(({ id, lastStep }) => {
      const known = before.authenticators.find((authenticator) => authenticator.id === id);
      return known ? lastStep > known.lastStep : 'new';
    }),
    pending: before.pending?.id !== after.pending?.id,
    backupCodes: after.backupCodes && {
      new: after.backupCodes.set !== before.backupCodes?.set,
      remaining: after.backupCodes.digests.length,
    },
    failures: after.failures - before.failures,
    guesses: guesses(after) - guesses(before),
    answered: Object.keys(after.answered).filter((id) => !Object.hasOwn(before.answered, id)).length,
    event: after.event?.type,
  };
}

function changeOfFamily(item: Item) {
  return { next: item?.['n']?.N, ended: item?.['z']?.BOOL };
}
