import deleteItem from 'dynalite/actions/deleteItem.js';
import getItem from 'dynalite/actions/getItem.js';
import putItem from 'dynalite/actions/putItem.js';
import scan from 'dynalite/actions/scan.js';
import updateItem from 'dynalite/actions/updateItem.js';
import type { Item, Request, Store } from 'dynalite/db/index.js';
import deleteItemInput from 'dynalite/validations/deleteItem.js';
import getItemInput from 'dynalite/validations/getItem.js';
import validations from 'dynalite/validations/index.js';
import putItemInput from 'dynalite/validations/putItem.js';
import scanInput from 'dynalite/validations/scan.js';
import updateItemInput from 'dynalite/validations/updateItem.js';
import { AwsError } from '../aws-error.ts';
import { checkSupported } from './supported.ts';

const OPERATIONS = {
  DeleteItem: { input: deleteItemInput, action: deleteItem },
  GetItem: { input: getItemInput, action: getItem },
  PutItem: { input: putItemInput, action: putItem },
  Scan: { input: scanInput, action: scan },
  UpdateItem: { input: updateItemInput, action: updateItem },
};

/** The operations on items. */
export type ItemOperation = keyof typeof OPERATIONS;
export const itemOperations = Object.keys(OPERATIONS) as ItemOperation[];

/**
 * Checks an input's types and values and parses its expressions.
 *
 * @throws AwsError SerializationException, ValidationException, UnsupportedOperationException
 */
export function parseRequest(
  store: Store,
  operation: ItemOperation,
  input: Record<string, unknown>,
): Request {
  const { types, custom } = OPERATIONS[operation].input;
  // A null member counts as absent. A null within a value would make dynalite fail while it holds the item's lock.
  if (Object.values(input).some((member) => member !== null && holdsNull(member))) {
    throw new AwsError('SerializationException', 'null is no value of an item');
  }
  let request: Request;
  try {
    request = validations.checkTypes(structuredClone(input), types);
    validations.checkValidations(request, types, custom, store);
  } catch (error) {
    throw asAwsError(error);
  }
  checkSupported(input, request);
  return request;
}

/**
 * Runs an operation on items. dynalite locks the item from the read to the write, so the item that a failed condition
 * returns is the one that failed it.
 *
 * @param itemOnFailure whether ReturnValuesOnConditionCheckFailure is ALL_OLD, which dynalite does not know
 * @throws AwsError ConditionalCheckFailedException, ValidationException, ResourceNotFoundException
 */
export async function runItemOperation(
  store: Store,
  operation: ItemOperation,
  request: Request,
  itemOnFailure = false,
): Promise<unknown> {
  let read: Item | undefined;
  const watched = watchReads(store, (item) => {
    read = item;
  });
  return new Promise((resolve, reject) => {
    OPERATIONS[operation].action(watched, request, (error, answer) => {
      if (!error) return resolve(answer);
      const known = asAwsError(error);
      const refused = known instanceof AwsError && known.code === 'ConditionalCheckFailedException';
      reject(
        refused && itemOnFailure && read
          ? new AwsError(known.code, known.message, known.status, { Item: read })
          : known,
      );
    });
  });
}

/** The store, with each item shown to `onRead` as dynalite reads it. */
function watchReads(store: Store, onRead: (item: Item | undefined) => void): Store {
  return {
    ...store,
    getItemDb(name) {
      const items = store.getItemDb(name);
      return {
        ...items,
        get(key, callback) {
          items.get(key, (error, item) => {
            onRead(item);
            callback(error, item);
          });
        },
      };
    },
  };
}

function holdsNull(value: unknown): boolean {
  return value === null || (typeof value === 'object' && Object.values(value).some(holdsNull));
}

/** Turns dynalite's refusals into AwsErrors; returns anything else as it is. */
function asAwsError(error: unknown): unknown {
  const { body, statusCode } = error as { body?: Record<string, string>; statusCode?: number };
  const code = body?.['__type']?.split('#').at(-1);
  if (!body || !code || !statusCode) return error;
  return new AwsError(code, body['message'] ?? body['Message'] ?? '', statusCode);
}
