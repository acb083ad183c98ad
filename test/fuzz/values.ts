import fc from 'fast-check';
import type * as v from 'valibot';
import {
  authenticatorName,
  backupCode,
  code,
  id,
  password,
  passwordChanged,
  reason,
  token,
  username,
} from '../../functions/contract/fields.ts';
import { requests } from '../../functions/contract/requests.ts';
import type { Operation } from '../../functions/routes.ts';
import { anyText } from '../support/any-text.ts';

const often = <T>(value: fc.Arbitrary<T>, other: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 2, arbitrary: value }, { weight: 1, arbitrary: other });

/** Valid values by field. A `$` begins the name of one of the sender's own values; see sender.ts. */
const fields = new Map<v.GenericSchema, fc.Arbitrary<unknown>>([
  [
    code,
    often(fc.constant('$code'), fc.stringMatching(/^([0-9]{6}|[0-9]{8}|[0-9]{3}[ \u00a0\u2013-][0-9]{3})$/)),
  ],
  [
    backupCode,
    often(fc.constant('$backup'), fc.stringMatching(/^([0-9a-zA-Z]{4}-){3}[0-9a-z]{4}$|^[0-9A-Za-z]{16} ?$/)),
  ],
  [token, often(fc.constant('$token'), fc.string({ minLength: 1, maxLength: 4096, unit: 'grapheme' }))],
  [id, often(fc.constantFrom('$pending', '$authenticator'), fc.stringMatching(/^[\w-]{1,64}$/))],
  [username, often(fc.constant('$username'), anyText({ minLength: 1, maxLength: 128 }))],
  [password, often(fc.constant('$password'), anyText({ minLength: 1, maxLength: 256 }))],
  [authenticatorName, anyText({ minLength: 1, maxLength: 20 })],
  [reason, anyText({ minLength: 1, maxLength: 40 })],
  [passwordChanged, fc.boolean()],
]);

type Entries = Record<string, v.GenericSchema>;
type Body = Record<string, unknown>;

function entriesOf(schema: object): Entries {
  // A pipe also has the members of its first schema.
  return (schema as { entries: Entries }).entries;
}

function fieldOf(schema: v.GenericSchema): { optional: boolean; value: fc.Arbitrary<unknown> } {
  const optional = schema.type === 'optional';
  const inner = optional ? (schema as v.GenericSchema & { wrapped: v.GenericSchema }).wrapped : schema;
  const value = fields.get(inner);
  if (!value) throw new Error(`There are no values for a field of type ${inner.type}.`);
  return { optional, value };
}

/** Bodies with the operation's own fields, well formed each; with too many or too few of them at times. */
export function bodyOf(operation: keyof typeof requests): fc.Arbitrary<Body> {
  const all = Object.entries(entriesOf(requests[operation])).map(
    ([name, schema]) => [name, fieldOf(schema)] as const,
  );
  const model = Object.fromEntries(all.map(([name, { value }]) => [name, value]));
  const required = all.flatMap(([name, { optional }]) => (optional ? [] : [name]));
  return fc.record(model, { requiredKeys: required, noNullPrototype: true }).map((body): Body => {
    const both = 'code' in body && 'backupCode' in body;
    if (!both || Object.keys(body).length % 2 === 0) return body;
    const { backupCode: _, ...one } = body;
    return one;
  });
}

export const takesBody = (operation: Operation): operation is keyof typeof requests => operation in requests;

/** Values that no field accepts, and a few that some field does. */
const hostile: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    0,
    -1,
    123456,
    1e308,
    1e-7,
    '',
    [],
    {},
    [[]],
    '$token',
    '$code',
  ),
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom('12345', '1234567', ' 123456', '123.456', '１２３４５６', '0x1234', '1e5000', '-12345'),
  fc.constantFrom('\u0000', '\ud800', '\udfff\ud800', '\u202e123456', '﷽'.repeat(80), 'é'.repeat(16), 'ﬀ'),
  fc.constantFrom('../../etc/passwd', "' OR 1=1 --", `\${jndi:ldap://x}`, '{{7*7}}', '<script>', '%00', '\\'),
  fc.nat(5000).map((length) => 'A'.repeat(length)),
  fc.array(fc.constant('$code'), { maxLength: 3 }),
  fc.record({ code: fc.constant('$code') }, { noNullPrototype: true }),
);

const names = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'then', 'toJSON'),
  fc.constantFrom(
    'skip',
    'userId',
    'sub',
    'amr',
    'enrolled',
    'now',
    'Code',
    'code ',
    'backup_code',
    'secret',
  ),
  fc.string({ maxLength: 80 }),
);

/** JSON that is nearly what the operation takes: a member more, less, or of another kind. */
export function nearBodyOf(
  operation: keyof typeof requests,
): fc.Arbitrary<[member: string, value: unknown][]> {
  return fc
    .tuple(
      bodyOf(operation),
      fc.constantFrom('add', 'drop', 'replace', 'repeat', 'rename'),
      fc.nat(4),
      names,
      hostile,
    )
    .map(([body, how, at, name, value]) => {
      const members = Object.entries(body);
      const index = members.length > 0 ? at % members.length : 0;
      const [member = name, old = value] = members[index] ?? [];
      // The service stores and shows a reason as typed. A secret in it would count as a leak, although its
      // typist leaked it.
      const other = member === 'reason' && typeof value === 'string' ? [value] : value;
      const replaced: Record<typeof how, [string, unknown][]> = {
        add: [...members, [name, value]],
        drop: members.toSpliced(index, 1),
        replace: members.toSpliced(index, 1, [member, other]),
        // If a name is repeated, its last member counts (RFC 8259 §4 leaves this open).
        repeat: [...members, [member, other]],
        rename: members.toSpliced(index, 1, [name, old]),
      };
      return replaced[how];
    });
}

export const anyBody: fc.Arbitrary<unknown> = hostile;
