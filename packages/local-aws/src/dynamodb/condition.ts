import db, { type AttributeValue, type Item, type Operand, type Path, type Term } from 'dynalite/db/index.js';

/**
 * Evaluates a parsed condition expression on an item (undefined: there is none), as the DynamoDB Developer Guide's
 * "Comparison operator and function reference" says. dynalite's own evaluation compares binary values as UTF-8 text and
 * never finds two maps or lists equal.
 */
export function conditionHolds(condition: Term, item: Item | undefined): boolean {
  const { type, args } = condition;
  const terms = args as Term[];
  if (type === 'and') return terms.every((term) => conditionHolds(term, item));
  if (type === 'or') return terms.some((term) => conditionHolds(term, item));
  if (type === 'not') return !terms.some((term) => conditionHolds(term, item));

  const [first, second, third] = args.map((operand) => resolve(operand, item ?? {}));
  switch (type === 'function' ? condition.name : type) {
    case 'attribute_exists':
      return first !== undefined;
    case 'attribute_not_exists':
      return first === undefined;
    case 'attribute_type':
      return first !== undefined && typeOf(first) === second?.['S'];
    case 'begins_with':
      return beginsWith(first, second);
    case 'contains':
      return contains(first, second);
    case '=':
      return equal(first, second);
    case '<>':
      return !equal(first, second);
    case '<':
      return ordered(first, second, (sign) => sign < 0);
    case '<=':
      return ordered(first, second, (sign) => sign <= 0);
    case '>':
      return ordered(first, second, (sign) => sign > 0);
    case '>=':
      return ordered(first, second, (sign) => sign >= 0);
    case 'between':
      return ordered(first, second, (sign) => sign >= 0) && ordered(first, third, (sign) => sign <= 0);
    case 'in':
      return args.slice(1).some((operand) => equal(first, resolve(operand, item ?? {})));
    default:
      throw new Error(`Unknown condition ${condition.name ?? type}`);
  }
}

function resolve(operand: Operand, item: Item): AttributeValue | undefined {
  if (isPath(operand)) return db.mapPath(operand, item) ?? undefined;
  if (!isTerm(operand)) return operand;
  const [argument] = operand.args;
  return argument === undefined ? undefined : sizeOf(resolve(argument, item));
}

export function isPath(operand: Operand): operand is Path {
  return Array.isArray(operand);
}

export function isTerm(operand: Operand): operand is Term {
  return !isPath(operand) && Array.isArray(operand['args']);
}

function sizeOf(value: AttributeValue | undefined): AttributeValue | undefined {
  if (!value) return undefined;
  const content = value[typeOf(value)];
  switch (typeOf(value)) {
    case 'B':
      return { N: String(bytes(content).length) };
    case 'S':
    case 'SS':
    case 'NS':
    case 'BS':
    case 'L':
      return { N: String((content as string | unknown[]).length) };
    case 'M':
      return { N: String(Object.keys(content as Item).length) };
    default:
      return undefined;
  }
}

function equal(a: AttributeValue | undefined, b: AttributeValue | undefined): boolean {
  if (!a || !b || typeOf(a) !== typeOf(b)) return false;
  const [x, y] = [a[typeOf(a)], b[typeOf(b)]];
  switch (typeOf(a)) {
    case 'SS':
    case 'NS':
    case 'BS': {
      const others = new Set(y as string[]);
      return others.size === (x as string[]).length && (x as string[]).every((member) => others.has(member));
    }
    case 'L':
      return (
        sameLength(x, y) && (x as AttributeValue[]).every((value, at) => equal(value, (y as Item[])[at]))
      );
    case 'M': {
      const [left, right] = [x as Item, y as Item];
      return (
        Object.keys(left).length === Object.keys(right).length &&
        Object.entries(left).every(([name, value]) => Object.hasOwn(right, name) && equal(value, right[name]))
      );
    }
    default:
      // Numbers and base64 have been brought to one form by the validation.
      return x === y;
  }
}

function sameLength(x: unknown, y: unknown): boolean {
  return (x as unknown[]).length === (y as unknown[]).length;
}

/** Strings are ordered by their UTF-8 bytes, binary by unsigned bytes; values of different types are never in order. */
function ordered(
  a: AttributeValue | undefined,
  b: AttributeValue | undefined,
  holds: (sign: number) => boolean,
): boolean {
  if (!a || !b || typeOf(a) !== typeOf(b)) return false;
  switch (typeOf(a)) {
    case 'N':
      return holds(db.compare('<', a, [b]) ? -1 : equal(a, b) ? 0 : 1);
    case 'S':
      return holds(Buffer.compare(Buffer.from(String(a['S'])), Buffer.from(String(b['S']))));
    case 'B':
      return holds(Buffer.compare(bytes(a['B']), bytes(b['B'])));
    default:
      return false;
  }
}

function beginsWith(value: AttributeValue | undefined, prefix: AttributeValue | undefined): boolean {
  if (!value || !prefix || typeOf(value) !== typeOf(prefix)) return false;
  if (typeOf(value) === 'S') return String(value['S']).startsWith(String(prefix['S']));
  const start = bytes(prefix['B']);
  return typeOf(value) === 'B' && bytes(value['B']).subarray(0, start.length).equals(start);
}

function contains(value: AttributeValue | undefined, operand: AttributeValue | undefined): boolean {
  if (!value || !operand) return false;
  const [type, sought] = [typeOf(value), typeOf(operand)];
  if (type === 'L') return (value['L'] as AttributeValue[]).some((member) => equal(member, operand));
  if (type === `${sought}S`) return (value[type] as unknown[]).includes(operand[sought]);
  if (type !== sought) return false;
  if (type === 'S') return String(value['S']).includes(String(operand['S']));
  return type === 'B' && bytes(value['B']).includes(bytes(operand['B']));
}

function typeOf(value: AttributeValue): string {
  return Object.keys(value)[0] ?? '';
}

function bytes(base64: unknown): Buffer {
  return Buffer.from(String(base64), 'base64');
}
