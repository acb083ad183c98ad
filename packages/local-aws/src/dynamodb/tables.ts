import { randomUUID } from 'node:crypto';
import type { Store, Table } from 'dynalite/db/index.js';

export interface TableDefinition {
  name: string;
  arn: string;
  keySchema: { AttributeName: string; KeyType: string }[];
  attributeDefinitions: { AttributeName: string; AttributeType: string }[];
  /** @default no TTL */
  ttlAttribute?: string;
  /** The customer-managed key the table is encrypted under. @default AWS's own */
  kmsKeyArn?: string;
}

/**
 * Makes the table if it is missing.
 *
 * @throws Error if it exists with another key
 */
export async function ensureTable(store: Store, table: TableDefinition, now: number): Promise<void> {
  const existing = await readTable(store, table.name);
  if (!existing) {
    const created = {
      TableName: table.name,
      TableArn: table.arn,
      TableId: randomUUID(),
      TableStatus: 'ACTIVE',
      CreationDateTime: now,
      KeySchema: table.keySchema,
      AttributeDefinitions: table.attributeDefinitions,
      BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
      ProvisionedThroughput: { ReadCapacityUnits: 0, WriteCapacityUnits: 0, NumberOfDecreasesToday: 0 },
      ItemCount: 0,
      TableSizeBytes: 0,
      ...(table.kmsKeyArn
        ? { SSEDescription: { Status: 'ENABLED', SSEType: 'KMS', KMSMasterKeyArn: table.kmsKeyArn } }
        : {}),
    };
    await new Promise<void>((resolve, reject) => {
      store.tableDb.put(table.name, created, (error) => (error ? reject(error) : resolve()));
    });
  } else if (JSON.stringify(existing.KeySchema) !== JSON.stringify(table.keySchema)) {
    throw new Error(`The table ${table.name} is there already, with another key schema`);
  }
}

function readTable(store: Store, name: string): Promise<Table | undefined> {
  return new Promise((resolve, reject) => {
    store.tableDb.get(name, (error, table) =>
      error && error.name !== 'NotFoundError' ? reject(error) : resolve(table),
    );
  });
}
