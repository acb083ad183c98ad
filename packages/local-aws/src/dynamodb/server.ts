import { join } from 'node:path';
import db, { type Store } from 'dynalite/db/index.js';
import { AwsError } from '../aws-error.ts';
import type { Context } from '../context.ts';
import { type Operation, signerOf, startAwsServer } from '../http/json-protocol.ts';
import type { RunningServer } from '../http/listen.ts';
import type { Principal } from '../iam/policy.ts';
import { authorize, keyText, type TableAccess, tableAccesses } from './access.ts';
import { type ItemOperation, parseRequest, runItemOperation } from './engine.ts';
import { ensureTable, listTables, readTable, type TableDefinition } from './tables.ts';
import { createTimeToLive, type TimeToLive } from './ttl.ts';

export interface DynamoDbOptions {
  context: Context;
  /** Holds the tables; exists already, and is used by one process at a time. */
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

const ITEM_OPERATIONS: ItemOperation[] = [
  'BatchGetItem',
  'BatchWriteItem',
  'DeleteItem',
  'GetItem',
  'PutItem',
  'Query',
  'Scan',
  'UpdateItem',
];

const REFUSED = [
  'BatchExecuteStatement',
  'CreateTable',
  'DeleteTable',
  'ExecuteStatement',
  'ExecuteTransaction',
  'TransactGetItems',
  'TransactWriteItems',
  'UpdateTable',
];

/**
 * Serves DynamoDB's data plane for the given tables. Tables are made at the start if they are not there; no call makes
 * or changes one. An acknowledged write is in the operating system's hands: it outlives the process, not a power cut.
 *
 * @throws Error if the folder is in use, or holds a table of the same name with another key
 */
export async function startDynamoDb(options: DynamoDbOptions): Promise<RunningServer> {
  const { context, folder } = options;
  const tables = new Map(options.tables.map((table) => [table.name, table]));
  const store = db.create({ path: join(folder, 'tables') });
  await store.db.open().catch((error: Error & { cause?: { code?: string } }) => {
    const inUse = error.cause?.code === 'LEVEL_LOCKED';
    throw new Error(
      inUse ? `${folder} is in use by another process` : `Cannot open the tables in ${folder}`,
      { cause: error },
    );
  });

  try {
    for (const table of options.tables) await ensureTable(store, table, context.clock.seconds());
    const timeToLive = createTimeToLive(store, context.clock, tables);
    await timeToLive.sweep();
    const server = await startAwsServer({
      service: 'dynamodb',
      targetPrefix: 'DynamoDB_20120810',
      contentType: 'application/x-amz-json-1.0',
      context,
      operations: createOperations(options, store, tables, timeToLive),
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
  options: DynamoDbOptions,
  store: Store,
  tables: ReadonlyMap<string, TableDefinition>,
  timeToLive: TimeToLive,
): Record<string, Operation> {
  const { region, account } = options.context;
  const tableArn = (name: string) =>
    tables.get(name)?.arn ?? `arn:aws:dynamodb:${region}:${account}:table/${name}`;

  function find(name: string): TableDefinition {
    const table = tables.get(name);
    if (!table) throw new AwsError('ResourceNotFoundException', 'Requested resource not found');
    return table;
  }

  /** Authorized by name before anything is said about whether the table exists, then by the table's key. */
  function admit(principal: Principal, operation: string, access: TableAccess): void {
    const { tableName, indexName, context, keys } = access;
    const hashKey = tables.get(tableName)?.keySchema.find(({ KeyType }) => KeyType === 'HASH')?.AttributeName;
    const leadingKeys = keys.flatMap((key) => {
      const value = hashKey === undefined ? undefined : key[hashKey];
      return value ? [keyText(value)] : [];
    });
    const resource = tableArn(tableName) + (indexName === undefined ? '' : `/index/${indexName}`);
    authorize(principal, region, operation, resource, {
      ...context,
      ...(leadingKeys.length > 0 ? { 'dynamodb:LeadingKeys': [...new Set(leadingKeys)] } : {}),
    });

    const { kmsKeyArn } = find(tableName);
    const encryptionContext = {
      'aws:dynamodb:tableName': tableName,
      'aws:dynamodb:subscriberId': account,
    };
    const viaService = `dynamodb.${region}.amazonaws.com`;
    if (kmsKeyArn && !options.mayDecryptVia(principal, kmsKeyArn, viaService, encryptionContext)) {
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
      for (const access of tableAccesses(operation, request)) admit(signerOf(principal), operation, access);
      await timeToLive.sweep();
      return runItemOperation(store, operation, request, { itemOnFailure });
    };

  const tableOperation =
    (
      operation: string,
      answer: (table: TableDefinition, input: Record<string, unknown>) => unknown,
    ): Operation =>
    async ({ input, principal }) => {
      const { TableName = '' } = parseRequest(store, 'DescribeTable', input);
      authorize(signerOf(principal), region, operation, tableArn(TableName));
      return answer(find(TableName), input);
    };

  return {
    ...Object.fromEntries(ITEM_OPERATIONS.map((operation) => [operation, itemOperation(operation)])),
    ...Object.fromEntries(REFUSED.map((operation) => [operation, refused(operation)])),
    ListTables: async ({ input, principal }) => {
      const request = parseRequest(store, 'ListTables', input);
      authorize(signerOf(principal), region, 'ListTables', '*');
      return listTables([...tables.keys()], request);
    },
    DescribeTable: tableOperation('DescribeTable', async (table) => ({
      Table: await readTable(store, table.name),
    })),
    DescribeTimeToLive: tableOperation('DescribeTimeToLive', (table) => {
      const attribute = timeToLive.attribute(table.name);
      const description = attribute
        ? { TimeToLiveStatus: 'ENABLED', AttributeName: attribute }
        : { TimeToLiveStatus: 'DISABLED' };
      return { TimeToLiveDescription: description };
    }),
    UpdateTimeToLive: tableOperation('UpdateTimeToLive', (table, input) =>
      updateTimeToLive(timeToLive, table.name, input['TimeToLiveSpecification']),
    ),
  };
}

function updateTimeToLive(timeToLive: TimeToLive, tableName: string, specification: unknown) {
  const { AttributeName, Enabled } = (specification ?? {}) as Record<string, unknown>;
  if (typeof AttributeName !== 'string' || AttributeName === '' || typeof Enabled !== 'boolean') {
    throw new AwsError('ValidationException', 'TimeToLiveSpecification needs AttributeName and Enabled');
  }
  if (Enabled === (timeToLive.attribute(tableName) !== undefined)) {
    throw new AwsError('ValidationException', `TimeToLive is already ${Enabled ? 'enabled' : 'disabled'}`);
  }
  timeToLive.setAttribute(tableName, Enabled ? AttributeName : undefined);
  return { TimeToLiveSpecification: { AttributeName, Enabled } };
}

function parseItemOnFailure(value: unknown): boolean {
  if (value === undefined || value === null || value === 'NONE') return false;
  if (value === 'ALL_OLD') return true;
  throw new AwsError(
    'ValidationException',
    `1 validation error detected: Value '${value}' at 'returnValuesOnConditionCheckFailure' failed to satisfy constraint: Member must satisfy enum value set: [ALL_OLD, NONE]`,
  );
}

function refused(operation: string): Operation {
  return async () => {
    throw new AwsError(
      'UnsupportedOperationException',
      `${operation} is not supported by the local DynamoDB`,
    );
  };
}
