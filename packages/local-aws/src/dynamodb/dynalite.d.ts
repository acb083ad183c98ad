// The parts of dynalite 4 that are called in-process; it ships no types.

declare module 'dynalite/db/index.js' {
  export type AttributeValue = Record<string, unknown>;
  export type Item = Record<string, AttributeValue>;
  export type Path = (string | number)[];

  export interface Term {
    type: string;
    name?: string;
    args: Operand[];
  }
  export type Operand = Path | Term | AttributeValue;

  export interface UpdateSection {
    type: 'set' | 'remove' | 'add' | 'delete';
    path: Path;
    val?: Operand;
  }

  /** A request after validation: the documented members and the parsed expressions. */
  export interface Request {
    TableName?: string;
    Key?: Item;
    Item?: Item;
    Select?: string;
    ReturnValues?: string;
    ReturnConsumedCapacity?: string;
    _condition?: { expression: Term; pathHeads: Record<string, true> };
    _filter?: { expression: Term; pathHeads: Record<string, true> };
    _projection?: { paths: Path[] };
    _updates?: { paths: Path[]; sections: UpdateSection[] };
  }

  export interface Table {
    TableName: string;
    TableStatus: string;
    KeySchema: { AttributeName: string; KeyType: string }[];
    AttributeDefinitions: { AttributeName: string; AttributeType: string }[];
    [member: string]: unknown;
  }

  export type Callback<T> = (error: Error | null, value?: T) => void;

  export interface Collection<T> {
    get(key: string, callback: Callback<T>): void;
    put(key: string, value: T, callback: Callback<void>): void;
    createValueStream(options: object): AsyncIterable<T>;
  }

  export interface Store {
    db: { open(): Promise<void>; close(): Promise<void> };
    tableDb: Collection<Table>;
    getItemDb(tableName: string): Collection<Item>;
  }

  interface Database {
    create(options: { path: string }): Store;
  }
  const database: Database;
  export default database;
}

declare module 'dynalite/validations/index.js' {
  import type { Request, Store } from 'dynalite/db/index.js';

  interface Validations {
    checkTypes(data: object, types: object): Request;
    checkValidations(data: Request, types: object, custom: unknown, store: Store): void;
  }
  const validations: Validations;
  export default validations;
}

declare module 'dynalite/validations/*.js' {
  const validation: { types: object; custom?: unknown };
  export default validation;
}

declare module 'dynalite/actions/*.js' {
  import type { Callback, Request, Store } from 'dynalite/db/index.js';

  const action: (store: Store, data: Request, callback: Callback<unknown>) => void;
  export default action;
}
