import fc from 'fast-check';
import { type Operation, routes } from '../../functions/routes.ts';
import { anyBody, bodyOf, nearBodyOf, takesBody } from './values.ts';

/** One of the sender's tokens, perhaps altered. */
export interface TokenPlan {
  kind: 'access' | 'refresh' | 'challenge';
  alter?:
    | { segment: 0 | 1 | 2; how: 'flip' | 'cut' | 'empty' | 'none' | 'claims' | 'longer'; at: number }
    | undefined;
}

export type BodyPlan =
  | { kind: 'none' }
  | { kind: 'members'; members: [name: string, value: unknown][] }
  | { kind: 'value'; value: unknown }
  | { kind: 'text'; text: string }
  | { kind: 'bytes'; bytes: number[] }
  /** The JSON of the members, with its text or bytes altered. */
  | { kind: 'spoilt'; members: [string, unknown][]; how: Spoiling; at: number; with: string };

export type Spoiling =
  | 'cut'
  | 'insert'
  | 'byte'
  | 'bom'
  | 'utf16'
  | 'gzip'
  | 'padded'
  | 'nested'
  | 'deep'
  | 'twice'
  | 'single quotes';

/** One request, described without anything that only one sender has. */
export interface Input {
  operation: Operation;
  method: string | undefined;
  path: { how: PathChange; with: string } | undefined;
  query: string;
  apiKey: 'right' | 'other' | 'none' | 'wrong' | 'empty';
  token: TokenPlan;
  /** The Authorization header, in which `$token` stands for the token. */
  authorization: string | undefined;
  signed: boolean;
  contentType: string | undefined;
  headers: [name: string, value: string][];
  body: BodyPlan;
  chunked: boolean;
  /** The user that an administrator names in the path. */
  userId: string;
}

export type PathChange = 'append' | 'prefix' | 'upper' | 'encode' | 'slash' | 'replace' | 'segment';

const mostly = <T>(weight: number, value: T, other: fc.Arbitrary<T>) =>
  fc.oneof({ weight, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: other });

const spoilt = (operation: keyof Bodies): fc.Arbitrary<BodyPlan> =>
  fc.record({
    kind: fc.constant('spoilt' as const),
    members: bodyOf(operation).map((body) => Object.entries(body)),
    how: fc.constantFrom<Spoiling[]>(
      'cut',
      'insert',
      'byte',
      'bom',
      'utf16',
      'gzip',
      'padded',
      'padded',
      'padded',
      'nested',
      'deep',
      'twice',
      'single quotes',
    ),
    at: fc.nat(),
    with: fc.constantFrom(
      '"',
      '\\',
      '{',
      '}',
      ',',
      '\u0000',
      '\n',
      '\u2028',
      '/*',
      'e',
      '0',
      '\ufeff',
      '\\ud800',
    ),
  });

type Bodies = Parameters<typeof bodyOf>[0] extends infer Name extends string ? Record<Name, unknown> : never;

function bodyFor(operation: Operation): fc.Arbitrary<BodyPlan> {
  const any = fc.oneof(
    fc.constant<BodyPlan>({ kind: 'none' }),
    fc.constantFrom<BodyPlan[]>(...[[], {}, null, ''].map((value) => ({ kind: 'value' as const, value }))),
    anyBody.map((value): BodyPlan => ({ kind: 'value', value })),
    fc.string({ unit: 'binary', maxLength: 200 }).map((text): BodyPlan => ({ kind: 'text', text })),
    fc.array(fc.nat(255), { maxLength: 200 }).map((bytes): BodyPlan => ({ kind: 'bytes', bytes })),
  );
  if (!takesBody(operation)) return mostly<BodyPlan>(3, { kind: 'none' }, any);
  return fc.oneof(
    {
      weight: 3,
      arbitrary: bodyOf(operation).map(
        (body): BodyPlan => ({ kind: 'members', members: Object.entries(body) }),
      ),
    },
    {
      weight: 4,
      arbitrary: nearBodyOf(operation).map((members): BodyPlan => ({ kind: 'members', members })),
    },
    { weight: 3, arbitrary: spoilt(operation) },
    { weight: 2, arbitrary: any },
  );
}

const kinds = fc.constantFrom('access' as const, 'refresh' as const, 'challenge' as const);
const alterations = fc.record({
  segment: fc.constantFrom(0 as const, 1 as const, 2 as const),
  how: fc.constantFrom(
    'flip' as const,
    'cut' as const,
    'empty' as const,
    'none' as const,
    'claims' as const,
    'longer' as const,
  ),
  at: fc.nat(),
});
const RIGHT_KIND: Partial<Record<Operation, TokenPlan['kind']>> = {
  'verify-login': 'challenge',
  refresh: 'refresh',
  logout: 'refresh',
};

const headerText = fc.stringMatching(/^[!-~]{1,60}$/);
const oddHeaders = fc.oneof(
  fc.tuple(
    fc.constantFrom(
      'accept',
      'accept-encoding',
      'content-encoding',
      'content-md5',
      'cookie',
      'date',
      'forwarded',
      'from',
      'if-none-match',
      'origin',
      'range',
      'referer',
      'user-agent',
      'x-amz-date',
      'x-amz-security-token',
      'x-amzn-requestid',
      'x-forwarded-for',
      'x-forwarded-host',
      'x-forwarded-proto',
      'x-http-method-override',
      'x-original-url',
      '__proto__',
      'constructor',
    ),
    fc.oneof(headerText, fc.constantFrom('', 'null', 'gzip', '127.0.0.1', 'DELETE', '*/*', 'é', '$token')),
  ),
  fc.tuple(fc.stringMatching(/^x-[a-z0-9_-]{1,30}$/), headerText),
  fc.constant<[string, string]>(['x-long', 'x'.repeat(800)]),
);

const queries = fc.oneof(
  fc.constantFrom(
    'realm=users',
    'realm=',
    'realm=other',
    'realm=users&realm=users',
    'realm=USERS',
    'realm[]=users',
  ),
  fc.constantFrom(
    '__proto__=1',
    'a',
    '=',
    '&&&',
    '%',
    '%zz=%',
    'x=%00',
    'x=%ff',
    'code=123456',
    'a=b'.repeat(300),
  ),
  fc.stringMatching(/^[\w%&=+.;~-]{0,80}$/),
);

const userIds = fc.oneof(
  fc.constantFrom(
    '.',
    '..',
    '%2e%2e',
    '%2f',
    '%00',
    '%',
    '%zz',
    '%c0%af',
    '%ff',
    '%F0%9F%98%80',
    'a%23b',
    '%20',
  ),
  fc.constantFrom(
    '__proto__',
    'USER%23users%23',
    'KEYRING%23data',
    '$sub%20',
    'x'.repeat(255),
    'x'.repeat(256),
  ),
  fc.stringMatching(/^[\w.~%-]{1,40}$/),
  fc.integer({ min: 80, max: 300 }).map((length) => '%F0%9F%98%80'.repeat(length)),
);

function inputOf(operation: Operation): fc.Arbitrary<Input> {
  const { caller, method } = routes[operation];
  return fc.record<Input>({
    operation: fc.constant(operation),
    method: mostly(
      25,
      undefined,
      fc.constantFrom(
        'GET',
        'POST',
        'PUT',
        'PATCH',
        'DELETE',
        'HEAD',
        'OPTIONS',
        'TRACE',
        'PROPFIND',
        'QUERY',
      ),
    ),
    path: mostly(
      20,
      undefined,
      fc.record({
        how: fc.constantFrom<PathChange[]>(
          'append',
          'prefix',
          'upper',
          'encode',
          'slash',
          'replace',
          'segment',
        ),
        with: fc.constantFrom(
          '/',
          '//',
          '/..',
          '/.',
          '/%2e%2e',
          '%00',
          '/x',
          ';a=b',
          '%2f',
          '/v1',
          '/%ff',
          '/%zz',
        ),
      }),
    ),
    query: mostly(caller === 'iam' ? 2 : 15, '', queries),
    apiKey: mostly(30, 'right', fc.constantFrom('other', 'none', 'wrong', 'empty')),
    token: fc.record({
      kind: mostly(8, RIGHT_KIND[operation] ?? 'access', kinds),
      alter: mostly(5, undefined, alterations),
    }),
    authorization: mostly<string | undefined>(
      15,
      'Bearer $token',
      fc.constantFrom(
        undefined,
        '',
        'Bearer',
        'Bearer ',
        '$token',
        'bearer $token',
        'Bearer  $token',
        'Bearer $token, Bearer $token',
        'Bearer $token x',
        'Basic $token',
        'Bearer ..',
        'Bearer null',
        'Bearer eyJhbGciOiJub25lIn0.e30.',
        `Bearer ${'a'.repeat(4000)}.b.c`,
        'AWS4-HMAC-SHA256 Credential=x',
      ),
    ),
    signed: mostly(10, true, fc.constant(false)),
    contentType: mostly<string | undefined>(
      20,
      'application/json',
      fc.constantFrom(
        undefined,
        'application/json; charset=utf-8',
        'APPLICATION/JSON',
        'application/json;charset=utf-16',
        'application/jsonp',
        'application/problem+json',
        'text/plain',
        'text/json',
        'multipart/form-data; boundary=x',
        'application/x-www-form-urlencoded',
        'application/octet-stream',
        'json',
        ', application/json',
      ),
    ),
    headers: mostly<[string, string][]>(4, [], fc.array(oddHeaders, { maxLength: 4 })),
    body: method === 'GET' ? mostly<BodyPlan>(12, { kind: 'none' }, bodyFor(operation)) : bodyFor(operation),
    chunked: mostly(10, false, fc.constant(true)),
    // An operation that ends all of the sender's sessions forces a restart, so it is rarer.
    userId: /-re(set|voke)/.test(operation)
      ? fc.oneof({ weight: 1, arbitrary: fc.constant('$sub') }, { weight: 3, arbitrary: userIds })
      : mostly(1, '$sub', userIds),
  });
}

const operations = Object.keys(routes) as Operation[];

/** Requests to every operation. Operations with a body occur more often. */
export const inputs: fc.Arbitrary<Input> = fc.oneof(
  ...operations.map((operation) => ({
    weight: takesBody(operation) ? 4 : routes[operation].caller === 'open' ? 1 : 2,
    arbitrary: inputOf(operation),
  })),
);
