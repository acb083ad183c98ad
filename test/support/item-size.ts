import type { AttributeValue } from '@aws-sdk/client-dynamodb';

/**
 * Returns the size of an item in bytes, by "DynamoDB item sizes and formats" of the Developer Guide. The
 * guide calls a number's size approximate, so this rounds it up.
 */
export function itemSize(item: Record<string, AttributeValue>): number {
  return sum(Object.entries(item).map(([name, value]) => bytes(name) + valueSize(value)));
}

function valueSize(value: AttributeValue): number {
  if (value.S !== undefined) return bytes(value.S);
  if (value.N !== undefined) return numberSize(value.N);
  if (value.B !== undefined) return value.B.length;
  if (value.BOOL !== undefined || value.NULL !== undefined) return 1;
  if (value.SS !== undefined) return sum(value.SS.map(bytes));
  if (value.NS !== undefined) return sum(value.NS.map(numberSize));
  if (value.BS !== undefined) return sum(value.BS.map((member) => member.length));
  // A list or map takes 3 bytes, plus 1 for each element.
  if (value.L !== undefined) return 3 + sum(value.L.map((element) => 1 + valueSize(element)));
  if (value.M !== undefined) return 3 + Object.keys(value.M).length + itemSize(value.M);
  throw new TypeError('an attribute value of no known type');
}

/** Returns one byte for every two significant digits, plus one. Leading and trailing zeroes do not count. */
function numberSize(number: string): number {
  const digits = number.replace(/[-.]/g, '').replace(/^0+|0+$/g, '');
  return Math.ceil(digits.length / 2) + 1;
}

const bytes = (text: string) => Buffer.byteLength(text, 'utf8');
const sum = (sizes: number[]) => sizes.reduce((total, size) => total + size, 0);
