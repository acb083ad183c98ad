import type { Item, Store } from 'dynalite/db/index.js';
import type { Clock } from '../clock.ts';
import { runItemOperation } from './engine.ts';
import type { TableDefinition } from './tables.ts';

/** How long an expired item stays readable here. On AWS it is "within a few days". */
const GRACE_SECONDS = 10 * 60;
const SWEEP_EVERY_SECONDS = 60;
/** "DynamoDB doesn't delete items with a TTL more than five years in the past" (Developer Guide, TTL). */
const TOO_OLD_SECONDS = 5 * 365 * 24 * 60 * 60;

export interface TimeToLive {
  /** The attribute that holds the expiry, if TTL is on for the table. */
  attribute(tableName: string): string | undefined;
  setAttribute(tableName: string, attribute: string | undefined): void;
  /** Deletes what expired more than ten minutes ago; does nothing within a minute of the last time. */
  sweep(): Promise<void>;
}

/** Lazy expiry. Each start takes up the definitions' setting again: the template says what is so, not the folder. */
export function createTimeToLive(
  store: Store,
  clock: Clock,
  tables: ReadonlyMap<string, TableDefinition>,
): TimeToLive {
  const attributes = new Map(
    [...tables.values()].map((table) => [table.name, table.ttlAttribute] as [string, string | undefined]),
  );
  let sweeping: Promise<void> | undefined;
  let sweptAt = Number.NEGATIVE_INFINITY;

  async function sweepTables(now: number): Promise<void> {
    for (const table of tables.values()) {
      const attribute = attributes.get(table.name);
      if (attribute === undefined) continue;
      const isOver = (item: Item | undefined) => item !== undefined && expired(item, attribute, now);
      for await (const item of store.getItemDb(table.name).createValueStream({})) {
        if (!isOver(item)) continue;
        const Key = Object.fromEntries(
          table.keySchema.map(({ AttributeName: name }) => [name, item[name] ?? {}]),
        );
        // The item may have been written anew since it was listed.
        await runItemOperation(store, 'DeleteItem', { TableName: table.name, Key }, { onlyIf: isOver }).catch(
          (error: Error) => {
            if (error.name !== 'ConditionalCheckFailedException') throw error;
          },
        );
      }
    }
  }

  return {
    attribute: (tableName) => attributes.get(tableName),
    setAttribute: (tableName, attribute) => void attributes.set(tableName, attribute),
    async sweep() {
      const now = clock.seconds();
      if (!sweeping && now - sweptAt >= SWEEP_EVERY_SECONDS) {
        sweptAt = now;
        sweeping = sweepTables(now).finally(() => {
          sweeping = undefined;
        });
      }
      await sweeping;
    },
  };
}

function expired(item: Item, attribute: string, now: number): boolean {
  const expiry = item[attribute]?.['N'];
  if (expiry === undefined) return false;
  const age = now - Number(expiry);
  return age > GRACE_SECONDS && age < TOO_OLD_SECONDS;
}
