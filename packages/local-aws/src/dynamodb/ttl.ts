import type { Item, Store } from 'dynalite/db/index.js';
import type { Clock } from '../clock.ts';
import { parseRequest, runItemOperation } from './engine.ts';
import type { TableDefinition } from './tables.ts';

/** An expired item stays readable this long. On AWS it is "within a few days". */
const GRACE_SECONDS = 10 * 60;
const SWEEP_EVERY_SECONDS = 60;
/** "DynamoDB doesn't delete items with a TTL more than five years in the past" (Developer Guide, TTL). */
const TOO_OLD_SECONDS = 5 * 365 * 24 * 60 * 60;

/** Returns a sweep that deletes what expired more than ten minutes ago. It does nothing within a minute of the last one. */
export function createTimeToLive(
  store: Store,
  clock: Clock,
  tables: readonly TableDefinition[],
): () => Promise<void> {
  let sweeping: Promise<void> | undefined;
  let sweptAt = Number.NEGATIVE_INFINITY;
  return async () => {
    const now = clock.seconds();
    if (!sweeping && now - sweptAt >= SWEEP_EVERY_SECONDS) {
      sweptAt = now;
      sweeping = sweepTables(store, tables, now).finally(() => {
        sweeping = undefined;
      });
    }
    await sweeping;
  };
}

async function sweepTables(store: Store, tables: readonly TableDefinition[], now: number): Promise<void> {
  for (const { name, keySchema, ttlAttribute } of tables) {
    if (ttlAttribute === undefined) continue;
    for await (const item of store.getItemDb(name).createValueStream({})) {
      if (!isExpired(item, ttlAttribute, now)) continue;
      // The item may have been written again since it was listed.
      const request = parseRequest(store, 'DeleteItem', {
        TableName: name,
        Key: Object.fromEntries(keySchema.map(({ AttributeName: key }) => [key, item[key]])),
        ConditionExpression: '#ttl = :listed',
        ExpressionAttributeNames: { '#ttl': ttlAttribute },
        ExpressionAttributeValues: { ':listed': item[ttlAttribute] },
      });
      await runItemOperation(store, 'DeleteItem', request).catch((error: Error) => {
        if (error.name !== 'ConditionalCheckFailedException') throw error;
      });
    }
  }
}

function isExpired(item: Item, attribute: string, now: number): boolean {
  const expiry = item[attribute]?.['N'];
  if (expiry === undefined) return false;
  const age = now - Number(expiry);
  return age > GRACE_SECONDS && age < TOO_OLD_SECONDS;
}
