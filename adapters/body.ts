import type { APIGatewayProxyEvent } from 'aws-lambda';
import * as v from 'valibot';
import { CountersignError } from '../core/error.ts';

const LARGEST = 16 * 1024;

/**
 * The body of a request, as its schema has it.
 *
 * @throws CountersignError `body_too_large`, `unsupported_media_type`, `invalid_json`, `invalid_request`; which say where
 * and what is allowed and never what was sent: it may be a code.
 */
export function parseBody<S extends v.GenericSchema>(
  event: APIGatewayProxyEvent,
  schema: S,
): v.InferOutput<S> {
  return valid(jsonOf(event), schema);
}

/** The same, but an absent body is `{}`, whatever its media type. */
export function parseOptionalBody<S extends v.GenericSchema>(
  event: APIGatewayProxyEvent,
  schema: S,
): v.InferOutput<S> {
  return valid(event.body ? jsonOf(event) : {}, schema);
}

function jsonOf(event: APIGatewayProxyEvent): unknown {
  const bytes = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  if (bytes.length > LARGEST) throw new CountersignError('body_too_large');
  if (!/^application\/json\s*(;|$)/i.test(header(event, 'content-type') ?? '')) {
    throw new CountersignError('unsupported_media_type');
  }
  return parseJson(bytes);
}

function valid<S extends v.GenericSchema>(value: unknown, schema: S): v.InferOutput<S> {
  // To a schema of optional fields an array is an object without any.
  const parsed = v.safeParse(schema, Array.isArray(value) ? null : value);
  if (parsed.success) return parsed.output;
  throw new CountersignError(
    'invalid_request',
    parsed.issues.map((issue) => describe(issue, schema)).join(' '),
  );
}

/** A header by its name in any case. */
export function header(event: APIGatewayProxyEvent, name: string): string | undefined {
  return Object.entries(event.headers ?? {}).find(([key]) => key.toLowerCase() === name)?.[1];
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new CountersignError('invalid_json');
  }
}

function describe(issue: v.BaseIssue<unknown>, schema: v.GenericSchema): string {
  const fields = 'entries' in schema ? Object.keys(schema.entries as object) : [];
  // The name of a field that is not ours is what somebody sent: it is not repeated.
  const path = v.getDotPath(issue);
  const where = path && fields.includes(path) ? path : 'The body';
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    return `The body has a field that is none of ${fields.join(', ')}.`;
  }
  if (issue.kind === 'schema' && issue.input === undefined) return `${where} is required.`;
  // Messages of a schema's own are written here; valibot's standard ones quote what was received.
  if (issue.kind === 'validation' && !issue.message.startsWith('Invalid'))
    return `${where}: ${issue.message}.`;
  return `${where} is malformed.`;
}
