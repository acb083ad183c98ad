import { join } from 'node:path';
import db, { type Store } from 'dynalite/db/index.js';
import { AwsError } from '../aws-error.ts';
import type { Context } from '../context.ts';
import { type Operation, signerOf, startAwsServer } from '../http/json-protocol.ts';
import type { RunningServer } from '../http/listen.ts';
import type { Principal } from '../iam/policy.ts';
import { accessContext, authorize } from './access.ts';
import { type ItemOperation, itemOperations, parseRequest, runItemOperation } from './engine.ts';
import { ensureTable, type TableDefinition } from './tables.ts';
import { createTimeToLive } from './ttl.ts';

export interface DynamoDbOptions {
  context: Context;
  /** Holds the tables; exists, and is used by one process at a time. */
  folder: string;
  tables: TableDefinition[];
  /** Whether KMS lets the principal decrypt when DynamoDB asks on its behalf. */
  mayDecryptVia(
    principal: Principal,
    keyArn: string,
    viaService: string,
    encryptionContext: Record<string, string>,
  ): boolean;
  /** @default any free one */
  port?: number;
}

/**
 * Serves the operations on items of the given tables. It makes missing tables at the start; no call makes or changes one.
 * An acknowledged write survives the end of the process, but not a power cut.
 *
 * @throws Error if the folder is in use, or holds a table of the same name with another key
 */
export async function startDynamoDb(options: DynamoDbOptions): Promise<RunningServer> {
  const { context, folder, tables } = options;
  const store = db.create({ path: join(folder, 'tables') });
  await store.db.open().catch((error: Error & { cause?: { code?: string } }) => {
    const inUse = error.cause?.code === 'LEVEL_LOCKED';
    throw new Error(
      inUse ? `${folder} is in use by another process` : `Cannot open the tables in ${folder}`,
      { cause: error },
    );
  });

  try {
    for (const table of tables) await ensureTable(store, table, context.clock.seconds());
    const sweep = createTimeToLive(store, context.clock, tables);
    await sweep();
    const server = await startAwsServer({
      service: 'dynamodb',
      targetPrefix: 'DynamoDB_20120810',
      contentType: 'application/x-amz-json-1.0',
      context,
      operations: createOperations(options, store, sweep),
      ...(options.port === undefined ? {} : { port: options.port }),
    });
    return {
      endpoint: server.endpoint,
      async close() {
        await server.close();
        await store.db.close();
      },
    };
  } catch (error) {
    await store.db.close();
    throw error;
  }
}

function createOperations(
  { context, tables, mayDecryptVia }: DynamoDbOptions,
  store: Store,
  sweep: () => Promise<void>,
): Record<string, Operation> {
  const { region, account } = context;

  /** Checks the table's key. @throws AwsError ResourceNotFoundException, AccessDeniedException */
  function checkTable(principal: Principal, name: string, table: TableDefinition | undefined): void {
    if (!table) throw new AwsError('ResourceNotFoundException', 'Requested resource not found');
    const { kmsKeyArn } = table;
    const encryptionContext = { 'aws:dynamodb:tableName': name, 'aws:dynamodb:subscriberId': account };
    const viaService = `dynamodb.${region}.amazonaws.com`;
    if (kmsKeyArn && !mayDecryptVia(principal, kmsKeyArn, viaService, encryptionContext)) {
      throw new AwsError(
        'AccessDeniedException',
        `KMS key access denied: ${principal.arn} is not authorized to perform: kms:Decrypt on ${kmsKeyArn} via ${viaService}`,
      );
    }
  }

  const itemOperation =
    (operation: ItemOperation): Operation =>
    async ({ input, principal }) => {
      const itemOnFailure = parseItemOnFailure(input['ReturnValuesOnConditionCheckFailure']);
      const request = parseRequest(store, operation, input);
      const { TableName: name = '' } = request;
      const signer = signerOf(principal);
      const table = tables.find((candidate) => candidate.name === name);
      const arn = table?.arn ?? `arn:aws:dynamodb:${region}:${account}:table/${name}`;
      const hashKey = table?.keySchema.find(({ KeyType }) => KeyType === 'HASH')?.AttributeName;
      // Before anything is said about whether the table exists.
      authorize(signer, region, operation, arn, accessContext(operation, request, hashKey));
      checkTable(signer, name, table);
      await sweep();
      return runItemOperation(store, operation, request, itemOnFailure);
    };

  return Object.fromEntries(itemOperations.map((operation) => [operation, itemOperation(operation)]));
}

function parseItemOnFailure(value: unknown): boolean {
  if (value === undefined || value === null || value === 'NONE') return false;
  if (value === 'ALL_OLD') return true;
  throw new AwsError(
    'ValidationException',
    `1 validation error detected: Value '${value}' at 'returnValuesOnConditionCheckFailure' failed to satisfy constraint: Member must satisfy enum value set: [ALL_OLD, NONE]`,
  );
}
