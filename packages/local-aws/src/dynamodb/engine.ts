import batchGetItem from 'dynalite/actions/batchGetItem.js';
import batchWriteItem from 'dynalite/actions/batchWriteItem.js';
import deleteItem from 'dynalite/actions/deleteItem.js';
import getItem from 'dynalite/actions/getItem.js';
import putItem from 'dynalite/actions/putItem.js';
import query from 'dynalite/actions/query.js';
import scan from 'dynalite/actions/scan.js';
import updateItem from 'dynalite/actions/updateItem.js';
import db, {
  type Item,
  type Operand,
  type Page,
  type Request,
  type Store,
  type Term,
} from 'dynalite/db/index.js';
import batchGetItemInput from 'dynalite/validations/batchGetItem.js';
import batchWriteItemInput from 'dynalite/validations/batchWriteItem.js';
import deleteItemInput from 'dynalite/validations/deleteItem.js';
import describeTableInput from 'dynalite/validations/describeTable.js';
import getItemInput from 'dynalite/validations/getItem.js';
import validations from 'dynalite/validations/index.js';
import listTablesInput from 'dynalite/validations/listTables.js';
import putItemInput from 'dynalite/validations/putItem.js';
import queryInput from 'dynalite/validations/query.js';
import scanInput from 'dynalite/validations/scan.js';
import updateItemInput from 'dynalite/validations/updateItem.js';
import { AwsError } from '../aws-error.ts';
import { conditionHolds, isPath, isTerm } from './condition.ts';

const ACTIONS = {
  BatchGetItem: batchGetItem,
  BatchWriteItem: batchWriteItem,
  DeleteItem: deleteItem,
  GetItem: getItem,
  PutItem: putItem,
  Query: query,
  Scan: scan,
  UpdateItem: updateItem,
};

const INPUTS = {
  BatchGetItem: batchGetItemInput,
  BatchWriteItem: batchWriteItemInput,
  DeleteItem: deleteItemInput,
  DescribeTable: describeTableInput,
  GetItem: getItemInput,
  ListTables: listTablesInput,
  PutItem: putItemInput,
  Query: queryInput,
  Scan: scanInput,
  UpdateItem: updateItemInput,
};

/** The operations on items. */
export type ItemOperation = keyof typeof ACTIONS;

export interface RunOptions {
  /** ReturnValuesOnConditionCheckFailure is ALL_OLD. */
  itemOnFailure?: boolean;
  /** One more condition, checked on the same read of the item as the request's own. */
  onlyIf?: (item: Item | undefined) => boolean;
}

/**
 * Checks an input's types and values and parses its expressions.
 *
 * @throws AwsError SerializationException, ValidationException
 */
export function parseRequest(
  store: Store,
  operation: keyof typeof INPUTS,
  input: Record<string, unknown>,
): Request {
  const { types, custom } = INPUTS[operation];
  // A null member is an absent one; within a value dynalite would trip over it, after it has taken the item's lock.
  if (Object.values(input).some((member) => member !== null && holdsNull(member))) {
    throw new AwsError('SerializationException', 'null is no value of an item');
  }
  try {
    const request = validations.checkTypes(structuredClone(input), types);
    validations.checkValidations(request, types, custom, store);
    return request;
  } catch (error) {
    throw asAwsError(error);
  }
}

/**
 * Runs an operation on items. dynalite holds a lock for the item's key from the read to the write: the condition is
 * evaluated there, and the item a failed condition hands back is the very one that failed it.
 *
 * @throws AwsError ConditionalCheckFailedException, ValidationException, ResourceNotFoundException
 */
export async function runItemOperation(
  store: Store,
  operation: ItemOperation,
  request: Request,
  options: RunOptions = {},
): Promise<unknown> {
  if (request._filter) return runFiltered(store, operation, request, request._filter.expression);
  if (operation !== 'PutItem' && operation !== 'UpdateItem' && operation !== 'DeleteItem') {
    return act(store, operation, request);
  }
  const { _condition: condition, ...unconditional } = request;
  let seen: Item | undefined;

  function check(item: Item | undefined): AwsError | undefined {
    seen = item;
    const holds =
      (!condition || conditionHolds(condition.expression, item)) && (options.onlyIf?.(item) ?? true);
    if (!holds) return new AwsError('ConditionalCheckFailedException', 'The conditional request failed');
    detachReferences(request, item);
    return undefined;
  }

  try {
    return await act(watch(store, check), operation, unconditional);
  } catch (error) {
    if (!(error instanceof AwsError) || error.code !== 'ConditionalCheckFailedException') throw error;
    throw options.itemOnFailure && seen
      ? new AwsError(error.code, error.message, error.status, { Item: seen })
      : error;
  }
}

/** The store, with a look at each item between dynalite's read of it and whatever it does then. */
function watch(store: Store, check: (item: Item | undefined) => AwsError | undefined): Store {
  return {
    ...store,
    getItemDb(name) {
      const items = store.getItemDb(name);
      return {
        ...items,
        get(key, callback) {
          items.get(key, (error, item) => {
            if (error && error.name !== 'NotFoundError') return callback(error);
            try {
              callback(check(item) ?? error, item);
            } catch (defect) {
              callback(defect as Error);
            }
          });
        },
      };
    },
  };
}

/** A filter is applied to the page read, before the projection ("Filter expressions", Developer Guide). */
async function runFiltered(
  store: Store,
  operation: ItemOperation,
  request: Request,
  filter: Term,
): Promise<unknown> {
  const { _filter, _projection: projection, Select, ...rest } = request;
  const whole = { ...rest, _filter: { ..._filter, pathHeads: _filter?.pathHeads ?? {}, expression: ALWAYS } };
  const { Items = [], ...page } = (await act(store, operation, whole)) as Page;
  const met = Items.filter((item) => conditionHolds(filter, item));
  if (Select === 'COUNT') return { ...page, Count: met.length };
  const projected = projection ? met.map((item) => db.mapPaths(projection.paths, item)) : met;
  return { ...page, Count: met.length, Items: projected };
}

/** Stands in for a filter that is evaluated here. */
const ALWAYS: Term = { type: '<>', args: [{ N: '0' }, { N: '1' }] };

function act(store: Store, operation: ItemOperation, request: Request): Promise<unknown> {
  return new Promise((resolve, reject) => {
    ACTIONS[operation](store, request, (error, answer) => {
      if (!error) return resolve(answer);
      reject(asAwsError(error));
    });
  });
}

/** dynalite lets `SET a = b` share b's value, and an ADD to b in the same expression would then change both. */
function detachReferences(request: Request, item: Item | undefined): void {
  for (const section of request._updates?.sections ?? []) {
    if (section.type === 'set' && section.val) section.val = detached(section.val, item ?? request.Key ?? {});
  }
}

function detached(value: Operand, item: Item): Operand {
  if (isPath(value)) {
    const found = db.mapPath(value, item);
    return found ? structuredClone(found) : value;
  }
  if (!isTerm(value)) return value;
  const [path, otherwise] = value.args;
  if (value.name === 'if_not_exists' && path && otherwise && isPath(path)) {
    return db.mapPath(path, item) ? detached(path, item) : detached(otherwise, item);
  }
  return { ...value, args: value.args.map((operand) => detached(operand, item)) };
}

function holdsNull(value: unknown): boolean {
  return value === null || (typeof value === 'object' && Object.values(value).some(holdsNull));
}

/** dynalite's refusals as AwsErrors; anything else stays what it is. */
function asAwsError(error: unknown): unknown {
  const { body, statusCode } = error as { body?: Record<string, string>; statusCode?: number };
  const code = body?.['__type']?.split('#').at(-1);
  if (!body || !code || !statusCode) return error;
  return new AwsError(code, body['message'] ?? body['Message'] ?? '', statusCode);
}
