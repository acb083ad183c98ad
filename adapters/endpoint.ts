import middy, { type MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda';
import type { GenericSchema, InferOutput } from 'valibot';
import type { Caller } from '../core/claims.ts';
import { CountersignError, type ErrorCode } from '../core/error.ts';
import type { Bearer } from './bearer.ts';
import { header, parseBody } from './body.ts';
import { secondsNow } from './clock.ts';
import { outOfTime, within } from './deadline.ts';
import { logFault, writeLog } from './log.ts';
import { problem } from './problem.ts';

export interface Request {
  /** Seconds since the epoch, read once. */
  now: number;
  /** The name of the client whose API key this is. */
  client: string;
  event: APIGatewayProxyEvent;
}

interface Answer {
  status?: number;
  body?: unknown;
  /** Public documents say so; everything else is not to be stored. */
  cacheControl?: string;
}

export interface EndpointOptions {
  operation: string;
  environment: { CLIENTS: Record<string, string>; CORS_ORIGINS: string[] };
  /** Further fields of the log line: whose factor an administrator acts on, and who they are. */
  audit?: (event: APIGatewayProxyEvent) => Record<string, unknown>;
}

export type Handler<R> = (request: R) => Promise<Answer>;

/** An operation that anybody with an API key may call, or with nothing at all: see routes.ts. */
export function endpoint(options: EndpointOptions, run: Handler<Request>) {
  return behindGateway(options, (event, now) => run(requestOf(options, event, now)));
}

/** The same, with a body. */
export function bodyEndpoint<S extends GenericSchema>(
  options: EndpointOptions & { body: S },
  run: Handler<Request & { body: InferOutput<S> }>,
) {
  return endpoint(options, (request) => run({ ...request, body: parseBody(request.event, options.body) }));
}

/** For somebody signed in. The token is looked at first: a stranger learns nothing of the body's form. */
export function bearerEndpoint(
  options: EndpointOptions & { bearer: Bearer },
  run: Handler<Request & { caller: Caller }>,
) {
  return endpoint(options, async (request) => {
    const authorization = header(request.event, 'authorization');
    const caller = await options.bearer(authorization, request.client, request.now);
    return run({ ...request, caller });
  });
}

export function bearerBodyEndpoint<S extends GenericSchema>(
  options: EndpointOptions & { bearer: Bearer; body: S },
  run: Handler<Request & { caller: Caller; body: InferOutput<S> }>,
) {
  return bearerEndpoint(options, (request) =>
    run({ ...request, body: parseBody(request.event, options.body) }),
  );
}

function requestOf({ environment }: EndpointOptions, event: APIGatewayProxyEvent, now: number): Request {
  const keyId = event.requestContext.identity.apiKeyId ?? '';
  return { now, client: environment.CLIENTS[keyId] ?? keyId, event };
}

/** Milliseconds before the function's own limit at which a clear answer is given instead of none. */
const EARLY = 500;

function behindGateway(
  options: EndpointOptions,
  run: (event: APIGatewayProxyEvent, now: number) => Promise<Answer>,
) {
  return middy<APIGatewayProxyEvent, APIGatewayProxyResult, Error, Context>({
    timeoutEarlyInMillis: EARLY,
    timeoutEarlyResponse: () => {
      throw outOfTime();
    },
  })
    .use(requestLog(options))
    .use(commonHeaders(options))
    .use(problems())
    .handler(async (event, context): Promise<APIGatewayProxyResult> => {
      const left = () => context.getRemainingTimeInMillis() - EARLY;
      const answered = await within(left, () => run(event, secondsNow()));
      const { status = 200, body, cacheControl = 'no-store' } = answered;
      return {
        statusCode: status,
        headers: {
          'cache-control': cacheControl,
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        body: body === undefined ? '' : JSON.stringify(body),
      };
    });
}

type Middleware = MiddlewareObj<APIGatewayProxyEvent, APIGatewayProxyResult, Error, Context>;

/** The refusal that an error is answered with. An error that is not ours is a defect, and the answer says nothing of it. */
function refusalOf(error: Error | null | undefined): CountersignError {
  return error instanceof CountersignError ? error : new CountersignError('internal_error');
}

/** Answers every refusal and fault in the one form. Defects, and what a dependency failed with, are logged and not told. */
function problems(): Middleware {
  return {
    onError(request) {
      const { error, event } = request;
      logFault(idsOf(request), error);
      const { statusCode, headers, body } = problem(refusalOf(error), event.requestContext.requestId);
      request.response = { statusCode, headers: { 'cache-control': 'no-store', ...headers }, body };
    },
  };
}

/** The headers of every answer. With a proxy integration API Gateway adds none of its own, CORS's included. */
function commonHeaders({ environment }: EndpointOptions): Middleware {
  const add: NonNullable<Middleware['after']> = ({ event, response }) => {
    if (!response) return;
    const origin = header(event, 'origin');
    const allowed = origin !== undefined && environment.CORS_ORIGINS.includes(origin);
    response.headers = {
      ...response.headers,
      'x-content-type-options': 'nosniff',
      ...(environment.CORS_ORIGINS.length > 0 && { vary: 'Origin' }),
      ...(allowed && {
        'access-control-allow-origin': origin,
        'access-control-expose-headers': 'retry-after',
      }),
    };
  };
  return { after: add, onError: add };
}

/** The id that the caller was answered with, and Lambda's own of this invocation. */
function idsOf({ event, context }: { event: APIGatewayProxyEvent; context: Context }) {
  return { requestId: event.requestContext.requestId, invocationId: context.awsRequestId };
}

/** One line a request: what was asked by which client and how it ended. No body, no header, no address. */
function requestLog({ operation, environment, audit }: EndpointOptions): Middleware {
  const write = (request: Parameters<NonNullable<Middleware['after']>>[0], code?: ErrorCode) => {
    const { event, response } = request;
    writeLog({
      level: 'info',
      ...idsOf(request),
      operation,
      client: environment.CLIENTS[event.requestContext.identity.apiKeyId ?? ''],
      ...audit?.(event),
      status: response?.statusCode,
      code,
    });
  };
  return {
    after: (request) => write(request),
    onError: (request) => write(request, refusalOf(request.error).code),
  };
}
