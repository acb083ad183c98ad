import { AwsError } from '../aws-error.ts';
import { invalidParameter } from './errors.ts';

export type Input = Record<string, unknown>;

const member = (name: string) => name.charAt(0).toLowerCase() + name.slice(1);

const wrongType = () => new AwsError('SerializationException', 'Unexpected field type');

/** Reads a required string. Throws `InvalidParameterException`, or `SerializationException` for another type. */
export function required(input: Input, name: string): string {
  const value = optional(input, name);
  if (value === undefined) {
    throw invalidParameter(
      `1 validation error detected: Value null at '${member(name)}' failed to satisfy constraint: Member must not be null`,
    );
  }
  if (value === '') {
    throw invalidParameter(
      `1 validation error detected: Value at '${member(name)}' failed to satisfy constraint: Member must have length greater than or equal to 1`,
    );
  }
  return value;
}

/** Reads a string; undefined if it is absent. */
export function optional(input: Input, name: string): string | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw wrongType();
  return value;
}

/**
 * Checks ContextData of the Admin forms, which only a pool's threat protection reads. All but EncodedData is required,
 * and may be empty (API reference, ContextDataType). Throws as `required` does.
 */
export function checkContextData(input: Input): void {
  const { ContextData: data } = input;
  if (data === undefined || data === null) return;
  if (typeof data !== 'object' || Array.isArray(data)) throw wrongType();
  const given = data as Input;
  const violation = (name: string, value: string, constraint: string) =>
    invalidParameter(
      `1 validation error detected: Value${value} at 'contextData.${member(name)}' failed to satisfy constraint: Member must ${constraint}`,
    );
  for (const name of ['IpAddress', 'ServerName', 'ServerPath', 'EncodedData']) {
    const value = optional(given, name);
    if (value === undefined && name !== 'EncodedData') throw violation(name, ' null', 'not be null');
    if (value !== undefined && value.length > 131_072) {
      throw violation(name, '', 'have length less than or equal to 131072');
    }
  }
  const { HttpHeaders: headers } = given;
  if (headers === undefined || headers === null) throw violation('HttpHeaders', ' null', 'not be null');
  if (!Array.isArray(headers)) throw wrongType();
  for (const header of headers) {
    if (typeof header !== 'object' || header === null) throw wrongType();
    for (const name of ['headerName', 'headerValue']) optional(header as Input, name);
  }
}

/** Reads a boolean; false if it is absent. */
export function flag(input: Input, name: string): boolean {
  const value = input[name];
  if (value === undefined || value === null) return false;
  if (typeof value !== 'boolean') throw wrongType();
  return value;
}

/** Reads a map of strings, such as AuthParameters; undefined if it is absent. Null values are left out. */
export function strings(input: Input, name: string): Record<string, string> | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'object' || Array.isArray(value)) throw wrongType();
  const result: Record<string, string> = {};
  for (const [key, entry] of Object.entries(value)) {
    if (entry === null) continue;
    if (typeof entry !== 'string') throw wrongType();
    result[key] = entry;
  }
  return result;
}

/** Reads a list of `{Name, Value}`, such as UserAttributes, into a record; empty if it is absent. */
export function attributeList(input: Input, name: string): Record<string, string> {
  const value = input[name] ?? [];
  if (!Array.isArray(value)) throw wrongType();
  const result: Record<string, string> = {};
  for (const entry of value) {
    if (typeof entry !== 'object' || entry === null) throw wrongType();
    result[required(entry as Input, 'Name')] = optional(entry as Input, 'Value') ?? '';
  }
  return result;
}
