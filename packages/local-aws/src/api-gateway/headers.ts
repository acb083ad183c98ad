import type { Request } from './request.ts';
import type { Method } from './template.ts';

// Headers to and from a function are changed as in "Amazon API Gateway important notes for REST APIs".

const DROPPED_IN = new Set([
  'connection',
  'content-md5',
  'expect',
  'max-forwards',
  'proxy-authenticate',
  'server',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'www-authenticate',
]);
const DROPPED_OUT = new Set([
  'content-length',
  'expect',
  'host',
  'proxy-authenticate',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
]);
const REMAPPED_OUT = new Set([
  'authorization',
  'connection',
  'content-md5',
  'date',
  'max-forwards',
  'server',
  'user-agent',
  'www-authenticate',
]);

/** The request's headers as the function receives them: API Gateway drops some, and adds where the request came from. */
export function requestHeaders(method: Method, request: Request, traceId: string): [string, string][] {
  const seen: [string, string][] = [];
  const forwardedFor: string[] = [];
  for (const [name, value] of request.headers) {
    const lower = name.toLowerCase();
    if (lower === 'x-forwarded-for') forwardedFor.push(value);
    else if (!DROPPED_IN.has(lower) && !isAdded(lower) && !isSignature(method, lower, value))
      seen.push([name, value]);
  }
  return [
    ...seen,
    ['X-Amzn-Trace-Id', `Root=1-${traceId.slice(0, 8)}-${traceId.replaceAll('-', '').slice(8)}`],
    ['X-Forwarded-For', [...forwardedFor, request.sourceIp].join(', ')],
    ['X-Forwarded-Port', '443'],
    ['X-Forwarded-Proto', 'https'],
  ];
}

function isAdded(lower: string): boolean {
  return lower === 'x-forwarded-port' || lower === 'x-forwarded-proto' || lower === 'x-amzn-trace-id';
}

/** "The Authorization header is dropped if it contains a Signature Version 4 signature or if AWS_IAM is used." */
function isSignature(method: Method, lower: string, value: string): boolean {
  return (
    lower === 'authorization' && (method.authorization === 'AWS_IAM' || /^AWS4-HMAC-SHA256/i.test(value))
  );
}

/** A function's headers as the client receives them. */
export function responseHeaders(sent: [string, string][]): [string, string][] {
  return sent
    .filter(([name]) => !DROPPED_OUT.has(name.toLowerCase()))
    .map(([name, value]) => [REMAPPED_OUT.has(name.toLowerCase()) ? `x-amzn-Remapped-${name}` : name, value]);
}
