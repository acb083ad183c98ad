import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { AwsError } from '../aws-error.ts';
import type { Principal } from './policy.ts';

const ALGORITHM = 'AWS4-HMAC-SHA256';
const MAX_SKEW_MS = 5 * 60_000;

export interface SignedRequest {
  method: string;
  /** As on the wire, without the query. */
  path: string;
  /** As on the wire, without the question mark; empty if there is none. */
  query: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/**
 * Verifies a Signature Version 4 in the Authorization header, over the body as received.
 *
 * @param principals returns the holder of an access key id
 * @param expected the required scope, and the time in milliseconds since the epoch (five minutes either way)
 * @returns the principal that signed
 * @throws AwsError MissingAuthenticationTokenException, IncompleteSignatureException, UnrecognizedClientException or
 * InvalidSignatureException
 */
export function verifySignature(
  request: SignedRequest,
  principals: (accessKeyId: string) => Principal | undefined,
  expected: { service: string; region: string; now: number },
): Principal {
  const { headers } = request;
  const authorization = parseAuthorization(headers.authorization);
  const [accessKeyId = '', ...scope] = authorization.credential.split('/');
  const date = header(headers, 'x-amz-date') ?? '';
  const day = date.slice(0, 8);

  if (!/^\d{8}T\d{6}Z$/.test(date)) {
    throw new AwsError('IncompleteSignatureException', 'X-Amz-Date must be in ISO-8601 basic format.');
  }
  if (scope.join('/') !== `${day}/${expected.region}/${expected.service}/aws4_request`) {
    throw invalid(
      `Credential should be scoped to '${day}/${expected.region}/${expected.service}/aws4_request'.`,
    );
  }
  checkTime(date, expected.now);
  checkSignedHeaders(authorization.signedHeaders, headers);

  const principal = principals(accessKeyId);
  if (!principal || header(headers, 'x-amz-security-token') !== principal.sessionToken) {
    throw new AwsError(
      'UnrecognizedClientException',
      'The security token included in the request is invalid.',
    );
  }

  const hash = sha256(request.body);
  const declared = header(headers, 'x-amz-content-sha256');
  const stringToSign = [
    ALGORITHM,
    date,
    scope.join('/'),
    sha256(canonicalRequest(request, authorization.signedHeaders, hash)),
  ].join('\n');
  const key = scope.reduce<string | Buffer>(hmac, `AWS4${principal.secretAccessKey}`);
  const signature = Buffer.from(authorization.signature, 'hex');
  const wanted = hmac(key, stringToSign);
  const equal = signature.length === wanted.length && timingSafeEqual(signature, wanted);
  if (!equal || (declared !== undefined && declared !== hash)) {
    throw invalid(
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
    );
  }
  return principal;
}

function parseAuthorization(value: string | undefined) {
  if (!value?.startsWith('AWS4-')) {
    throw new AwsError('MissingAuthenticationTokenException', 'Request is missing Authentication Token');
  }
  const [algorithm, rest = ''] = value.split(/ (.*)/s);
  const fields = new Map(rest.split(',').map((field) => splitOnce(field.trim(), '=')));
  const credential = fields.get('Credential');
  const signedHeaders = fields.get('SignedHeaders');
  const signature = fields.get('Signature');
  if (algorithm !== ALGORITHM || !credential || !signedHeaders || !signature) {
    throw new AwsError(
      'IncompleteSignatureException',
      `Authorization header requires the algorithm ${ALGORITHM} and 'Credential', 'SignedHeaders' and 'Signature' parameters.`,
    );
  }
  return { credential, signedHeaders: signedHeaders.split(';'), signature };
}

function checkTime(date: string, now: number): void {
  const signedAt = Date.parse(
    date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'),
  );
  if (Math.abs(signedAt - now) <= MAX_SKEW_MS) return;
  const basic = (time: number) => new Date(time).toISOString().replace(/[-:]|\.\d+/g, '');
  throw invalid(
    signedAt < now
      ? `Signature expired: ${date} is now earlier than ${basic(now - MAX_SKEW_MS)} (${basic(now)} - 5 min.)`
      : `Signature not yet current: ${date} is still later than ${basic(now + MAX_SKEW_MS)} (${basic(now)} + 5 min.)`,
  );
}

/** "You must include the host header … and any x-amz-* headers in the request" (Create a signed request, step 1). */
function checkSignedHeaders(signed: string[], headers: IncomingHttpHeaders): void {
  const unsigned = Object.keys(headers).find(
    (name) => (name === 'host' || name.startsWith('x-amz-')) && !signed.includes(name),
  );
  if (unsigned) throw invalid(`'${unsigned}' must be a 'SignedHeader' in the AWS Authorization.`);
  const absent = signed.find((name) => header(headers, name) === undefined);
  if (absent !== undefined) throw invalid(`The signed header '${absent}' is not in the request.`);
}

function canonicalRequest(request: SignedRequest, signedHeaders: string[], hash: string): string {
  const names = signedHeaders.toSorted();
  const lines = names.map(
    (name) => `${name}:${(header(request.headers, name) ?? '').trim().replace(/ +/g, ' ')}`,
  );
  return [
    request.method,
    canonicalPath(request.path),
    canonicalQuery(request.query),
    ...lines,
    '',
    names.join(';'),
    hash,
  ].join('\n');
}

/** Encodes the path of the wire once more, as every service but S3 does. */
function canonicalPath(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(encode(segment));
  }
  return `/${segments.join('/')}${segments.length > 0 && path.endsWith('/') ? '/' : ''}`;
}

function canonicalQuery(query: string): string {
  if (query === '') return '';
  return query
    .split('&')
    .map((pair) => splitOnce(pair, '=').map((part) => encode(decode(part))))
    .toSorted(([a, x], [b, y]) => compare(a ?? '', b ?? '') || compare(x ?? '', y ?? ''))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('The query string is not well-formed.');
  }
}

/** Everything but RFC 3986's unreserved characters. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: string | Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

function invalid(message: string): AwsError {
  return new AwsError('InvalidSignatureException', message);
}
