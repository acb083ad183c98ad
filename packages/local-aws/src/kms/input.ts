import { AwsError } from '../aws-error.ts';
import type { EncryptionContext } from './materials.ts';

type Input = Record<string, unknown>;

/** Reads a required text. All readers here throw ValidationException for input that AWS's model does not admit. */
export function requireText(input: Input, name: string): string {
  const value = optionalText(input, name);
  if (value === undefined) throw refused(name, 'Member must not be null');
  return value;
}

export function optionalText(input: Input, name: string): string | undefined {
  const value = input[name] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw notOfType(name, 'a string');
  if (value.length < 1 || value.length > 2048) throw refused(name, 'Member must have length 1 to 2048');
  return value;
}

/** Reads a base64 member of 1 to `maxBytes` bytes. */
export function requireBlob(input: Input, name: string, maxBytes: number): Buffer {
  const value = input[name] ?? undefined;
  if (value === undefined) throw refused(name, 'Member must not be null');
  if (
    typeof value !== 'string' ||
    !/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value)
  ) {
    throw notOfType(name, 'base64');
  }
  const blob = Buffer.from(value, 'base64');
  if (blob.length < 1 || blob.length > maxBytes) {
    throw refused(name, `Member must have length 1 to ${maxBytes}`);
  }
  return blob;
}

/** Reads an integer from 1 to 1024. */
export function optionalByteCount(input: Input, name: string): number | undefined {
  const value = input[name] ?? undefined;
  if (value === undefined) return undefined;
  if (!Number.isInteger(value)) throw notOfType(name, 'an integer');
  const count = Number(value);
  if (count < 1 || count > 1024) throw refused(name, 'Member must have value 1 to 1024');
  return count;
}

/** Reads pairs of strings; empty if absent. */
export function encryptionContext(input: Input, name: string): EncryptionContext {
  const value = input[name] ?? {};
  if (typeof value !== 'object' || Array.isArray(value)) throw notOfType(name, 'a map');
  for (const text of Object.values(value)) {
    if (typeof text !== 'string') throw notOfType(name, 'a map of strings');
  }
  return value as EncryptionContext;
}

export function refused(name: string, constraint: string): AwsError {
  const member = name.charAt(0).toLowerCase() + name.slice(1);
  return new AwsError(
    'ValidationException',
    `1 validation error detected: Value at '${member}' failed to satisfy constraint: ${constraint}`,
  );
}

function notOfType(name: string, wanted: string): AwsError {
  return new AwsError('SerializationException', `${name} must be ${wanted}`);
}
