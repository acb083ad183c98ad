import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AwsError, type Exchange, type Principal, type RunningServer } from './aws/types.ts';
import type { Clock } from './clock.ts';
import type { Api, Method } from './gateway/api.ts';
import { type Context, checkTemplate, render } from './gateway/context.ts';
import { type Caller, headerOf, joinedHeaders, proxyEvent, type Request } from './gateway/event.ts';
import { functionAnswer } from './gateway/function-response.ts';
import { type Answer, gatewayError, type ResponseType } from './gateway/gateway-response.ts';
import { answerMock } from './gateway/mock.ts';
import { createRouter } from './gateway/router.ts';
import { createThrottling, planOf } from './gateway/throttle.ts';
import type { InvokeResult } from './lambda.ts';

export interface GatewayOptions {
  api: Api;
  clock: Clock;
  /** API key id → its value. */
  keyValues: ReadonlyMap<string, string>;
  /** Who signed the request. @throws AwsError named as AWS names it */
  authenticate(request: Request): Principal;
  /** Whether IAM lets the principal invoke the method of this `arn:aws:execute-api:...`. */
  mayCall(principal: Principal, methodArn: string, sourceIp: string): boolean;
  /** Whether the function's resource policy lets this API's method invoke it. */
  mayInvoke(functionArn: string, sourceArn: string): boolean;
  invoke(functionArn: string, event: unknown): Promise<InvokeResult>;
  /** @default any free one */
  port?: number;
  /** One line of the stage's access log. */
  onAccess?(line: string): void;
  /** Each request with its answer. */
  onExchange?(exchange: Exchange): void;
}

const MAX_BODY_BYTES = 10_485_760;
/** "Total combined size of request line and header values". */
const MAX_HEADER_BYTES = 10_240;

/**
 * Serves the REST API on loopback, at the root as under a custom domain. Checks in API Gateway's order: route,
 * signature and policy, API key, throttle and quota, then the integration.
 */
export async function startGateway(options: GatewayOptions): Promise<RunningServer> {
  const { api, clock } = options;
  if (api.accessLog !== undefined) checkTemplate('access log', api.accessLog);
  const route = createRouter(api);
  const throttling = createThrottling(api, clock);
  const keysByValue = new Map(
    api.keys.flatMap((key): [string, typeof key][] => {
      const value = options.keyValues.get(key.id);
      return value === undefined ? [] : [[value, key]];
    }),
  );
  let closing = false;

  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, async (incoming, response) => {
    const startedAt = clock.now();
    const request = await readRequest(incoming);
    if (!request) return;
    const context = contextOf(api, request, startedAt);
    const answer = await answerTo(request, context).catch((error: unknown) => {
      console.error('The gateway failed:', error);
      return gatewayError('API_CONFIGURATION_ERROR', api.responses, context, () => undefined);
    });
    send(request, response, context, answer);
    context['responseLatency'] = String(clock.now() - startedAt);
    if (api.accessLog !== undefined) options.onAccess?.(render(api.accessLog, context, '-'));
  });

  // Clients keep their connections; one closed just as a request comes would look like a fault.
  server.keepAliveTimeout = 60_000;

  async function answerTo(request: Request & { tooLarge: boolean }, context: Context): Promise<Answer> {
    const refuse = (type: ResponseType, message?: string): Answer => {
      context['error.responseType'] = type;
      return gatewayError(type, api.responses, context, (name) => headerOf(request, name), message);
    };

    const match = route(request.method, request.path);
    if (!match) return refuse('MISSING_AUTHENTICATION_TOKEN');
    const { method, parameters } = match;
    context['resourceId'] = method.resourceId;
    context['resourcePath'] = method.resourcePath;
    if (request.tooLarge) return refuse('REQUEST_TOO_LARGE');

    const caller: Caller = {};
    if (method.authorization === 'AWS_IAM') {
      const refused = authorize(method, request, caller);
      if (refused) return refuse(...refused);
      context['identity.userArn'] = context['identity.user'] = caller.principal?.arn ?? '';
      context['identity.accessKey'] = context['identity.caller'] = caller.principal?.accessKeyId ?? '';
    }

    let key: ReturnType<typeof keysByValue.get>;
    if (method.apiKeyRequired) {
      const value = headerOf(request, 'x-api-key');
      key = keysByValue.get(value ?? '');
      if (value === undefined || !key?.enabled || !planOf(api, key)) return refuse('INVALID_API_KEY');
      caller.apiKey = { id: key.id, value };
      context['identity.apiKeyId'] = key.id;
    }
    const over = throttling.admit(method, key);
    if (over) return refuse(over);

    if (method.integration.type === 'mock') {
      // Another content type has no template: the body goes through as it is, and a mock cannot read it.
      const json = /^application\/json\b/.test(headerOf(request, 'content-type') ?? 'application/json');
      return json
        ? answerMock(method.integration, headerOf(request, 'origin'))
        : refuse('API_CONFIGURATION_ERROR');
    }
    return invoke(method.integration, method, request, parameters, caller, context, refuse);
  }

  function authorize(method: Method, request: Request, caller: Caller): [ResponseType, string?] | undefined {
    try {
      const principal = options.authenticate(request);
      const resource = `${api.id}/${api.stage}/${method.httpMethod}${request.path}`;
      const arn = `arn:aws:execute-api:${api.region}:${api.account}:${resource}`;
      if (!options.mayCall(principal, arn, request.sourceIp)) {
        const masked = arn.replace(api.account, `********${api.account.slice(-4)}`);
        return [
          'ACCESS_DENIED',
          `User: ${principal.arn} is not authorized to perform: execute-api:Invoke on resource: ${masked}`,
        ];
      }
      caller.principal = principal;
      return undefined;
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      if (error.code === 'MissingAuthenticationTokenException') return ['MISSING_AUTHENTICATION_TOKEN'];
      return [
        error.code === 'UnrecognizedClientException' ? 'ACCESS_DENIED' : 'INVALID_SIGNATURE',
        error.message,
      ];
    }
  }

  async function invoke(
    { functionArn, timeoutMs }: { functionArn: string; timeoutMs: number },
    method: Method,
    request: Request,
    parameters: Record<string, string>,
    caller: Caller,
    context: Context,
    refuse: (type: ResponseType) => Answer,
  ): Promise<Answer> {
    const source = `${api.id}/${api.stage}/${method.httpMethod}${method.resourcePath}`;
    if (!options.mayInvoke(functionArn, `arn:aws:execute-api:${api.region}:${api.account}:${source}`)) {
      return refuse('API_CONFIGURATION_ERROR');
    }
    const event = proxyEvent(api, method, request, parameters, caller, context);
    const startedAt = performance.now();
    const result = await within(timeoutMs * clock.slowness, options.invoke(functionArn, event));
    context['integrationLatency'] = String(Math.round(performance.now() - startedAt));
    if (result === 'timeout') return refuse('INTEGRATION_TIMEOUT');
    if (result === 'failure') return refuse('INTEGRATION_FAILURE');
    context['integrationStatus'] = context['integration.status'] = '200';
    if (!result.ok) return refuse('DEFAULT_5XX');
    const answer = functionAnswer(api, request, result.payload);
    if (!answer) return refuse('DEFAULT_5XX');
    return { ...answer, headers: [...answer.headers, ['X-Amzn-Trace-Id', `Root=1-${context['requestId']}`]] };
  }

  function send(request: Request, response: ServerResponse, context: Context, answer: Answer): void {
    const body = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body;
    response.statusCode = answer.status;
    response.setHeader('Date', new Date(clock.now()).toUTCString());
    response.setHeader('x-amzn-RequestId', context['requestId'] ?? '');
    response.setHeader('x-amz-apigw-id', context['extendedRequestId'] ?? '');
    for (const [name, value] of answer.headers) {
      if (response.hasHeader(name)) response.appendHeader(name, value);
      else response.setHeader(name, value);
    }
    const bodiless = answer.status === 204 || answer.status === 304;
    if (!bodiless) response.setHeader('Content-Length', body.length);
    if (closing) response.setHeader('Connection', 'close');
    response.end(bodiless || request.method === 'HEAD' ? undefined : body);
    options.onExchange?.({
      service: 'execute-api',
      operation: `${request.method} ${request.path}`,
      request: { headers: joinedHeaders(request.headers), body: request.body.toString('utf8') },
      status: answer.status,
      answer: { headers: joinedHeaders(Object.entries(response.getHeaders())), body: body.toString('utf8') },
    });
    context['status'] = String(answer.status);
    context['responseLength'] = String(bodiless ? 0 : body.length);
  }

  const { promise: listening, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(options.port ?? 0, '127.0.0.1', resolve);
  await listening;
  const { port } = server.address() as AddressInfo;

  return {
    endpoint: `http://127.0.0.1:${port}`,
    /** Requests under way are answered first. */
    close() {
      closing = true;
      const closed = new Promise<void>((done) => server.close(() => done()));
      server.closeIdleConnections();
      return closed;
    },
  };
}

/** The whole request, or undefined if the client went away. What is over the limit is read and dropped. */
async function readRequest(
  incoming: IncomingMessage,
): Promise<(Request & { tooLarge: boolean }) | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of incoming) {
      length += chunk.length;
      if (length <= MAX_BODY_BYTES) chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  const [path = '/', query = ''] = (incoming.url ?? '/').split(/\?(.*)/s);
  const { rawHeaders } = incoming;
  const headers: [string, string][] = [];
  for (let at = 0; at < rawHeaders.length; at += 2)
    headers.push([rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '']);
  return {
    method: incoming.method ?? 'GET',
    path,
    query,
    headers,
    sourceIp: incoming.socket.remoteAddress ?? '127.0.0.1',
    protocol: `HTTP/${incoming.httpVersion}`,
    body: Buffer.concat(chunks),
    tooLarge: length > MAX_BODY_BYTES,
  };
}

function contextOf(api: Api, request: Request, now: number): Context {
  return {
    accountId: api.account,
    apiId: api.id,
    domainName: headerOf(request, 'host') ?? '',
    extendedRequestId: `${randomBytes(11).toString('base64').slice(0, 15)}=`,
    httpMethod: request.method,
    'identity.sourceIp': request.sourceIp,
    'identity.userAgent': headerOf(request, 'user-agent') ?? '',
    path: request.path,
    protocol: request.protocol,
    requestId: randomUUID(),
    requestTime: commonLogTime(now),
    requestTimeEpoch: String(now),
    stage: api.stage,
  };
}

/** As in `24/Nov/2025:03:45:00 +0000`. */
function commonLogTime(now: number): string {
  const [, day, month, year, time] = new Date(now).toUTCString().split(' ');
  return `${day}/${month}/${year}:${time} +0000`;
}

async function within(
  ms: number,
  work: Promise<InvokeResult>,
): Promise<InvokeResult | 'timeout' | 'failure'> {
  const { promise: late, resolve } = Promise.withResolvers<'timeout'>();
  const timer = setTimeout(resolve, ms, 'timeout');
  try {
    return await Promise.race([work.catch(() => 'failure' as const), late]);
  } finally {
    clearTimeout(timer);
  }
}
