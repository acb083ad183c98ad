import { randomUUID } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { crc32 } from 'node:zlib';
import { AwsError } from '../aws-error.ts';
import type { Context, Fault, Service } from '../context.ts';
import type { Principal } from '../iam/policy.ts';
import { verifySignature } from '../iam/sigv4.ts';
import { listen, type RunningServer } from './listen.ts';
import { readBody } from './read-body.ts';

/** Answers one call. @throws AwsError */
export type Operation = (request: {
  input: Record<string, unknown>;
  principal: Principal | undefined;
  headers: IncomingHttpHeaders;
}) => Promise<unknown>;

export interface AwsServerOptions {
  service: Service;
  /** 'DynamoDB_20120810', 'TrentService', 'AWSCognitoIdentityProviderService' */
  targetPrefix: string;
  contentType: 'application/x-amz-json-1.0' | 'application/x-amz-json-1.1';
  context: Context;
  operations: Record<string, Operation>;
  /** Operations that take no signature. @default none */
  unsigned?: ReadonlySet<string>;
  /** @default any free one */
  port?: number;
  /** Documents to GET by path. @default none */
  get?: (path: string) => { contentType: string; body: string } | undefined;
}

/** Each service's names for throttling and for its own faults. */
const FAULTS: Record<Service, { throttle: string; error: string }> = {
  dynamodb: { throttle: 'ProvisionedThroughputExceededException', error: 'InternalServerError' },
  kms: { throttle: 'ThrottlingException', error: 'KMSInternalException' },
  'cognito-idp': { throttle: 'TooManyRequestsException', error: 'InternalErrorException' },
  lambda: { throttle: 'TooManyRequestsException', error: 'ServiceException' },
};

/** DynamoDB takes requests of up to 16 MB; the other services' inputs are all far below a megabyte. */
const MAX_BODY_BYTES = { dynamodb: 16 * 1024 * 1024, other: 1024 * 1024 };

/**
 * Serves one AWS service by the AWS JSON protocol. Requests are POSTs to `/` whose X-Amz-Target names the operation. The
 * signature is verified before the body is read. An AwsError is answered as `{__type, message}`; any other error is the
 * service's own 500.
 */
export async function startAwsServer(options: AwsServerOptions): Promise<RunningServer> {
  const { service, context } = options;
  const maxBytes = service === 'dynamodb' ? MAX_BODY_BYTES.dynamodb : MAX_BODY_BYTES.other;
  const underway = new Set<Promise<void>>();

  const server = createServer((request, response) => {
    // The SDK corrects its clock by this header, and ours may be ahead of the machine's.
    response.setHeader('date', new Date(context.clock.now()).toUTCString());
    response.setHeader('x-amzn-requestid', randomUUID());
    if (request.headers.origin !== undefined) allowOrigin(request, response);

    if (request.method === 'OPTIONS') return void response.end();
    if (request.method === 'GET') return void sendDocument(request, response);
    const work = respond(request, response).catch(() => void request.socket.destroy());
    underway.add(work);
    void work.finally(() => underway.delete(work));
  });
  // Idle connections stay open. Closing one just as a client sends would look like a fault.
  server.keepAliveTimeout = 0;

  function sendDocument(request: IncomingMessage, response: ServerResponse): void {
    const document = options.get?.(pathOf(request));
    response.statusCode = document ? 200 : 404;
    if (document) response.setHeader('content-type', document.contentType);
    response.end(document?.body);
  }

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request, maxBytes);
    if (body === undefined) {
      response.setHeader('connection', 'close');
      const message = `The request is larger than ${maxBytes} bytes.`;
      return void send(response, 413, JSON.stringify({ __type: 'RequestEntityTooLargeException', message }));
    }

    const operation = operationOf(request);
    let principal: Principal | undefined;
    const called = (status: number) =>
      context.onCall({
        service,
        operation: operation ?? 'unknown',
        ...(principal ? { principal: principal.arn } : {}),
        status,
      });
    let status = 200;
    let answer: unknown;
    let fault: Fault | undefined;
    try {
      if (operation === undefined) throw new AwsError('UnknownOperationException', '');
      if (!options.unsigned?.has(operation)) principal = authenticate(request, body);
      fault = await context.fault({
        service,
        operation,
        ...(principal ? { principal: principal.arn } : {}),
      });
      if (fault === 'hang') return void request.socket.once('close', () => called(0));
      if (fault === 'throttle') throw new AwsError(FAULTS[service].throttle, 'Rate exceeded');
      if (fault === 'error') throw new AwsError(FAULTS[service].error, 'An internal error occurred.', 500);
      if (fault === 'reset') {
        called(0);
        return void request.socket.destroy();
      }
      const input = parseInput(body);
      answer = await options.operations[operation]?.({ input, principal, headers: request.headers });
    } catch (error) {
      const known = error instanceof AwsError ? error : ownFault(service, operation, error);
      status = known.status;
      answer = { __type: typeOf(service, known.code), message: known.message, ...known.details };
    }
    // Before the answer leaves: a client that has the answer must see the call counted.
    called(status);
    if (fault === 'error-after') {
      status = 500;
      answer = { __type: typeOf(service, FAULTS[service].error), message: 'An internal error occurred.' };
    }
    const text = JSON.stringify(answer ?? {});
    context.onExchange?.({
      service,
      operation: operation ?? 'unknown',
      request: { headers: {}, body: body.toString('utf8') },
      status,
      answer: { headers: {}, body: text },
    });
    if (fault === 'hang-after') return;
    if (fault === 'lose-answer') return void request.socket.destroy();
    send(response, status, text, fault === 'stall');
  }

  function operationOf(request: IncomingMessage): string | undefined {
    const [prefix, name = ''] = String(request.headers['x-amz-target'] ?? '').split('.');
    const contentType = request.headers['content-type']?.split(';')[0]?.trim();
    const known =
      request.method === 'POST' &&
      request.url === '/' &&
      contentType === options.contentType &&
      prefix === options.targetPrefix &&
      Object.hasOwn(options.operations, name);
    return known ? name : undefined;
  }

  function authenticate(request: IncomingMessage, body: Buffer): Principal {
    const [path = '/', query = ''] = (request.url ?? '/').split(/\?(.*)/s);
    return verifySignature(
      { method: request.method ?? '', path, query, headers: request.headers, body },
      (accessKeyId) => context.principal(accessKeyId),
      { service, region: context.region, now: context.clock.now() },
    );
  }

  function send(response: ServerResponse, status: number, text: string, stalled = false): void {
    response.statusCode = status;
    response.setHeader('content-type', options.contentType);
    response.setHeader('content-length', Buffer.byteLength(text));
    if (service === 'dynamodb') response.setHeader('x-amz-crc32', crc32(text));
    if (stalled) response.write(text.slice(0, -1));
    else response.end(text);
  }

  const running = await listen(server, { port: options.port, closing: 'cut' });
  return {
    endpoint: running.endpoint,
    /** Ends every open connection, hung ones too, then waits for the operations in progress. */
    async close() {
      await running.close();
      await Promise.allSettled(underway);
    },
  };
}

/**
 * Returns the signer of a request to an operation that must be signed.
 *
 * @throws AwsError MissingAuthenticationTokenException
 */
export function signerOf(principal: Principal | undefined): Principal {
  if (principal) return principal;
  throw new AwsError('MissingAuthenticationTokenException', 'Request is missing Authentication Token');
}

function parseInput(body: Buffer): Record<string, unknown> {
  try {
    const input: unknown = JSON.parse(body.toString('utf8'));
    if (typeof input === 'object' && input !== null && !Array.isArray(input)) {
      return input as Record<string, unknown>;
    }
  } catch {
    // Answered below: the parser's own message would quote the body.
  }
  throw new AwsError('SerializationException', 'The request body is not a JSON object.');
}

/**
 * Reports a defect of the emulator, or a policy it cannot read. It prints the place, but the message of a PolicyError
 * only, since others may quote the request.
 */
function ownFault(service: Service, operation: string | undefined, error: unknown): AwsError {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const frames = stack.split('\n').filter((line) => line.startsWith('    at '));
  const reason = error instanceof Error && error.name === 'PolicyError' ? `: ${error.message}` : '';
  console.error([`${service} ${operation} failed in the local server${reason}`, ...frames].join('\n'));
  return new AwsError(FAULTS[service].error, 'An internal error occurred.', 500);
}

const CORAL = new Set([
  'AccessDeniedException',
  'IncompleteSignatureException',
  'InvalidSignatureException',
  'MissingAuthenticationTokenException',
  'SerializationException',
  'ThrottlingException',
  'UnknownOperationException',
  'UnrecognizedClientException',
]);

/** DynamoDB names an error with its namespace, the others bare. */
function typeOf(service: Service, code: string): string {
  if (service !== 'dynamodb') return code;
  if (CORAL.has(code)) return `com.amazon.coral.service#${code}`;
  if (code === 'ValidationException') return `com.amazon.coral.validate#${code}`;
  return `com.amazonaws.dynamodb.v20120810#${code}`;
}

/** Lets any page call, as AWS's endpoints do: the signature protects them. */
function allowOrigin(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('access-control-allow-origin', '*');
  response.setHeader('access-control-expose-headers', 'x-amzn-requestid, x-amzn-errortype, date');
  if (request.method !== 'OPTIONS') return;
  response.setHeader('access-control-allow-methods', 'GET, POST');
  response.setHeader(
    'access-control-allow-headers',
    request.headers['access-control-request-headers'] ?? '*',
  );
  response.setHeader('access-control-max-age', '172800');
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?')[0] ?? '/';
}
