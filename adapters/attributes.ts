import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unavailable } from '../core/error.ts';

export type Item = Record<string, AttributeValue>;

/** Attributes of an item, written and read. An attribute of an unexpected type is a fault, never an absent one. */

export const text = (value: string): AttributeValue => ({ S: value });
export const number = (value: number): AttributeValue => ({ N: String(value) });

export function readText(value: AttributeValue | undefined): string {
  if (value?.S === undefined) throw unavailable();
  return value.S;
}

export function readNumber(value: AttributeValue | undefined): number {
  const read = Number(value?.N);
  if (!Number.isSafeInteger(read)) throw unavailable();
  return read;
}

export function readList(value: AttributeValue): AttributeValue[] {
  if (value.L === undefined) throw unavailable();
  return value.L;
}

export function readMap(value: AttributeValue): Item {
  if (value.M === undefined) throw unavailable();
  return value.M;
}

export function readSet(value: AttributeValue): Uint8Array[] {
  if (value.BS === undefined) throw unavailable();
  return value.BS;
}

export function readBinary(value: AttributeValue | undefined): Uint8Array {
  if (value?.B === undefined) throw unavailable();
  return value.B;
}

export function present(item: Record<string, AttributeValue | undefined>): Item {
  return Object.fromEntries(
    Object.entries(item).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
