import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import { AwsError } from '../aws-error.ts';
import type { Clock } from '../clock.ts';
import type { Exchange } from '../context.ts';
import { listen, type RunningServer } from '../http/listen.ts';
import type { InvokeResult } from '../lambda/runtime.ts';
import { type Caller, proxyEvent } from './event.ts';
import { functionAnswer } from './function-response.ts';
import { type Answer, gatewayError, type ResponseType } from './gateway-response.ts';
import type { IamAuthorizer } from './iam.ts';
import { answerMock } from './mock.ts';
import { headerOf, joinedHeaders, type Request, readRequest } from './request.ts';
import { createRouter } from './router.ts';
import type { Api, Method } from './template.ts';
import { createThrottling, planOf } from './throttle.ts';
import { checkTemplate, render, type Variables } from './variables.ts';

export interface ApiGatewayOptions {
  api: Api;
  clock: Clock;
  iam: IamAuthorizer;
  /** API key id → its value. */
  keyValues: ReadonlyMap<string, string>;
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

/** "Total combined size of request line and header values". */
const MAX_HEADER_BYTES = 10_240;

/**
 * Serves the REST API on loopback, at the root as under a custom domain. Checks in API Gateway's order: route,
 * signature and policy, API key, throttle and quota, then the integration.
 */
export async function startApiGateway(options: ApiGatewayOptions): Promise<RunningServer> {
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
    const variables = variablesOf(api, request, startedAt);
    const answer = await answerTo(request, variables).catch((error: unknown) => {
      console.error('The gateway failed:', error);
      return gatewayError('API_CONFIGURATION_ERROR', api.responses, variables, () => undefined);
    });
    send(request, response, variables, answer);
    variables['responseLatency'] = String(clock.now() - startedAt);
    if (api.accessLog !== undefined) options.onAccess?.(render(api.accessLog, variables, '-'));
  });

  // Clients reuse connections. Closing one just as a request arrives would look like a fault.
  server.keepAliveTimeout = 60_000;

  async function answerTo(request: Request & { tooLarge: boolean }, variables: Variables): Promise<Answer> {
    const refuse = (type: ResponseType, message?: string): Answer => {
      variables['error.responseType'] = type;
      return gatewayError(type, api.responses, variables, (name) => headerOf(request, name), message);
    };

    const match = route(request.method, request.path);
    if (!match) return refuse('MISSING_AUTHENTICATION_TOKEN');
    const { method, parameters } = match;
    variables['resourceId'] = method.resourceId;
    variables['resourcePath'] = method.resourcePath;
    if (request.tooLarge) return refuse('REQUEST_TOO_LARGE');

    const caller: Caller = {};
    if (method.authorization === 'AWS_IAM') {
      const refused = authorize(method, request, caller);
      if (refused) return refuse(...refused);
      variables['identity.userArn'] = variables['identity.user'] = caller.principal?.arn ?? '';
      variables['identity.accessKey'] = variables['identity.caller'] = caller.principal?.accessKeyId ?? '';
    }

    let key: ReturnType<typeof keysByValue.get>;
    if (method.apiKeyRequired) {
      const value = headerOf(request, 'x-api-key');
      key = keysByValue.get(value ?? '');
      if (value === undefined || !key?.enabled || !planOf(api, key)) return refuse('INVALID_API_KEY');
      caller.apiKey = { id: key.id, value };
      variables['identity.apiKeyId'] = key.id;
    }
    const over = throttling.admit(method, key);
    if (over) return refuse(over);

    if (method.integration.type === 'mock') {
      // Another content type has no template, so the mock receives the body as it is and cannot read it.
      const json = /^application\/json\b/.test(headerOf(request, 'content-type') ?? 'application/json');
      return json
        ? answerMock(method.integration, headerOf(request, 'origin'))
        : refuse('API_CONFIGURATION_ERROR');
    }
    return invoke(method.integration, method, request, parameters, caller, variables, refuse);
  }

  function authorize(method: Method, request: Request, caller: Caller): [ResponseType, string?] | undefined {
    try {
      const principal = options.iam.authenticate(request);
      const resource = `${api.id}/${api.stage}/${method.httpMethod}${request.path}`;
      const arn = `arn:aws:execute-api:${api.region}:${api.account}:${resource}`;
      if (!options.iam.mayCall(principal, arn, request.sourceIp)) {
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
    variables: Variables,
    refuse: (type: ResponseType) => Answer,
  ): Promise<Answer> {
    const source = `${api.id}/${api.stage}/${method.httpMethod}${method.resourcePath}`;
    if (!options.mayInvoke(functionArn, `arn:aws:execute-api:${api.region}:${api.account}:${source}`)) {
      return refuse('API_CONFIGURATION_ERROR');
    }
    const event = proxyEvent(api, method, request, parameters, caller, variables);
    const startedAt = performance.now();
    const result = await within(timeoutMs * clock.slowness, options.invoke(functionArn, event));
    variables['integrationLatency'] = String(Math.round(performance.now() - startedAt));
    if (result === 'timeout') return refuse('INTEGRATION_TIMEOUT');
    if (result === 'failure') return refuse('INTEGRATION_FAILURE');
    variables['integrationStatus'] = variables['integration.status'] = '200';
    if (!result.ok) return refuse('DEFAULT_5XX');
    const answer = functionAnswer(result.payload);
    if (!answer) return refuse('DEFAULT_5XX');
    return {
      ...answer,
      headers: [...answer.headers, ['X-Amzn-Trace-Id', `Root=1-${variables['requestId']}`]],
    };
  }

  function send(request: Request, response: ServerResponse, variables: Variables, answer: Answer): void {
    const body = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body;
    response.statusCode = answer.status;
    response.setHeader('Date', new Date(clock.now()).toUTCString());
    response.setHeader('x-amzn-RequestId', variables['requestId'] ?? '');
    response.setHeader('x-amz-apigw-id', variables['extendedRequestId'] ?? '');
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
    variables['status'] = String(answer.status);
    variables['responseLength'] = String(bodiless ? 0 : body.length);
  }

  const running = await listen(server, { port: options.port, closing: 'drain' });
  return {
    endpoint: running.endpoint,
    /** Requests in progress are answered first. */
    close() {
      closing = true;
      return running.close();
    },
  };
}

function variablesOf(api: Api, request: Request, now: number): Variables {
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
