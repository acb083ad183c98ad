import { randomUUID } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { AwsError } from '../aws-error.ts';
import type { Deployment } from '../cloudformation/deployment.ts';
import type { Context } from '../context.ts';
import { listen, type RunningServer } from '../http/listen.ts';
import { readBody } from '../http/read-body.ts';
import type { Principal } from '../iam/policy.ts';
import { isAllowed, principalContext } from '../iam/policy.ts';
import { verifySignature } from '../iam/sigv4.ts';
import { type FunctionPolicies, permissionStatement } from './permissions.ts';
import type { InvokeResult, Runtime } from './runtime.ts';
import { configurationOf, type FunctionConfiguration } from './template.ts';

interface Answer {
  status: number;
  headers?: Record<string, string>;
  body: unknown;
}

interface Operation {
  name: string;
  /** @default lambda:<name> */
  action?: string;
  run(target: FunctionConfiguration, input: unknown, headers: IncomingHttpHeaders): Answer | Promise<Answer>;
}

const PATH = /^\/2015-03-31\/functions\/([^/]+)\/(policy|configuration|invocations)$/;
const MAX_BODY_BYTES = 64 * 1024;

/**
 * Serves a part of Lambda's API by its REST protocol, for unqualified functions: Invoke, the resource policy (GetPolicy,
 * AddPermission) and the configuration (GetFunctionConfiguration, UpdateFunctionConfiguration). It plays no faults, since
 * no deployed function calls it.
 */
export async function startLambda(options: {
  context: Context;
  deployment: Deployment;
  policies: FunctionPolicies;
  /** Runs the functions. @default they are only described */
  runtime?: Pick<Runtime, 'invoke' | 'renew'>;
  /** @default any free one */
  port?: number;
}): Promise<RunningServer> {
  const { context, policies, runtime } = options;
  const functions = options.deployment.resources('AWS::Lambda::Function').map(configurationOf);
  const operations: Record<string, Operation | undefined> = {
    'GET configuration': {
      name: 'GetFunctionConfiguration',
      run: (target) => ({ status: 200, body: { ...target, LastUpdateStatus: 'Successful' } }),
    },
    'PUT configuration': runtime && {
      name: 'UpdateFunctionConfiguration',
      run(target, input) {
        target['Description'] = readDescription(object(input));
        target['LastModified'] = `${new Date(context.clock.now()).toISOString().slice(0, -1)}+0000`;
        // The change is complete at once. On AWS it takes a while, and old environments answer until then.
        runtime.renew(target.FunctionArn);
        return { status: 200, body: { ...target, LastUpdateStatus: 'InProgress' } };
      },
    },
    'POST invocations': runtime && {
      name: 'Invoke',
      action: 'lambda:InvokeFunction',
      async run({ FunctionArn }, event, headers) {
        const type = headers['x-amz-invocation-type'] ?? 'RequestResponse';
        if (type !== 'RequestResponse') throw invalid(`The invocation type ${type} is not known here.`);
        return invoked(await runtime.invoke(FunctionArn, event));
      },
    },
    'GET policy': {
      name: 'GetPolicy',
      run({ FunctionArn }) {
        const statements = policies.of(FunctionArn);
        if (statements.length === 0) throw notFound('The resource you requested does not exist.');
        const policy = { Version: '2012-10-17', Id: 'default', Statement: statements };
        return { status: 200, body: { Policy: JSON.stringify(policy), RevisionId: randomUUID() } };
      },
    },
    'POST policy': {
      name: 'AddPermission',
      run({ FunctionArn }, input) {
        const statement = readPermission(FunctionArn, object(input));
        if (policies.of(FunctionArn).some(({ Sid }) => Sid === statement.Sid)) {
          const message = `The statement id (${statement.Sid}) provided already exists. Please provide a new statement id, or remove the existing statement.`;
          throw new AwsError('ResourceConflictException', message, 409);
        }
        policies.add(FunctionArn, statement);
        return { status: 201, body: { Statement: JSON.stringify(statement) } };
      },
    },
  };

  async function answer(request: IncomingMessage, body: Buffer | undefined): Promise<Answer> {
    if (!body) {
      throw new AwsError(
        'RequestTooLargeException',
        `The request is larger than ${MAX_BODY_BYTES} bytes.`,
        413,
      );
    }
    const [path = '/', query = ''] = (request.url ?? '/').split(/\?(.*)/s);
    const [, encoded = '', what] = PATH.exec(path) ?? [];
    const operation = operations[`${request.method} ${what}`];
    let principal: Principal | undefined;
    let status = 500;
    try {
      if (!operation) throw new AwsError('UnknownOperationException', '', 404);
      principal = verifySignature(
        { method: request.method ?? '', path, query, headers: request.headers, body },
        context.principal,
        { service: 'lambda', region: context.region, now: context.clock.now() },
      );
      if (query !== '') throw invalid('Versions and aliases are not known here.');
      const given = decodeURIComponent(encoded);
      const arn = given.startsWith('arn:')
        ? given
        : `arn:aws:lambda:${context.region}:${context.account}:function:${given}`;
      authorize(principal, operation.action ?? `lambda:${operation.name}`, arn);
      const target = functions.find(({ FunctionArn }) => FunctionArn === arn);
      if (!target) throw notFound(`Function not found: ${arn}`);
      const input = parsed(body, operation.name === 'Invoke' ? 'InvalidRequestContentException' : undefined);
      const answered = await operation.run(target, input, request.headers);
      status = answered.status;
      return answered;
    } catch (error) {
      status = known(error).status;
      throw error;
    } finally {
      context.onCall({
        service: 'lambda',
        operation: operation?.name ?? 'unknown',
        ...(principal ? { principal: principal.arn } : {}),
        status,
      });
    }
  }

  function authorize(principal: Principal, action: string, resource: string): void {
    const keys = principalContext(principal, context.region);
    if (isAllowed(principal.policies, { action, resource, context: keys })) return;
    throw new AwsError(
      'AccessDeniedException',
      `User: ${principal.arn} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`,
      403,
    );
  }

  const server = createServer((request, response) => {
    response.setHeader('date', new Date(context.clock.now()).toUTCString());
    response.setHeader('x-amzn-requestid', randomUUID());
    void readBody(request, MAX_BODY_BYTES)
      .then((body) => answer(request, body))
      .then((answered) => send(response, answered))
      .catch((error: unknown) => sendError(response, error));
  });
  server.keepAliveTimeout = 0;
  return listen(server, { port: options.port, closing: 'cut' });
}

/** The answer to Invoke. If the function failed, a header says so and the error is in the body. */
function invoked(result: InvokeResult): Answer {
  const headers = { 'x-amz-executed-version': '$LATEST' };
  if (result.ok) return { status: 200, headers, body: result.payload };
  return { status: 200, headers: { ...headers, 'x-amz-function-error': 'Unhandled' }, body: result.error };
}

function readDescription(input: Record<string, unknown>): string {
  const { Description: description, ...others } = input;
  const [strange] = Object.keys(others);
  if (strange !== undefined) throw invalid(`${strange} is not known here.`);
  if (typeof description !== 'string' || description.length > 256) {
    throw invalid('1 validation error detected: a description has up to 256 characters.');
  }
  return description;
}

function readPermission(functionArn: string, input: Record<string, unknown>) {
  const known = ['StatementId', 'Action', 'Principal', 'SourceArn', 'SourceAccount'];
  const strange = Object.keys(input).find((name) => !known.includes(name));
  if (strange !== undefined) throw invalid(`${strange} is not known here.`);
  const text = (name: string) => {
    const value = input[name];
    if (value === undefined || typeof value === 'string') return value;
    throw new AwsError('SerializationException', 'STRING_VALUE expected.');
  };
  const required = (name: string) => {
    const value = text(name);
    if (!value) throw invalid(`1 validation error detected: Value null at '${name}' must not be null`);
    return value;
  };
  return permissionStatement({
    sid: required('StatementId'),
    action: required('Action'),
    principal: required('Principal'),
    functionArn,
    sourceArn: text('SourceArn'),
    sourceAccount: text('SourceAccount'),
  });
}

function parsed(body: Buffer, error = 'SerializationException'): unknown {
  if (body.length === 0) return {};
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new AwsError(error, 'Could not parse request body into json.');
  }
}

function object(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new AwsError('SerializationException', 'The body is no JSON object.');
}

function send(response: ServerResponse, { status, headers = {}, body }: Answer): void {
  const text = JSON.stringify(body);
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader('content-type', 'application/json');
  response.setHeader('content-length', Buffer.byteLength(text));
  response.end(text);
}

/** Errors are named in a header, and their body has `Type` and a capital `Message`. */
function sendError(response: ServerResponse, error: unknown): void {
  const { code, message, status } = known(error);
  response.setHeader('x-amzn-errortype', code);
  send(response, { status, body: { Type: status < 500 ? 'User' : 'Service', Message: message } });
}

/** A bad signature is 403 here, as a refusal by a policy is. */
function known(error: unknown): { code: string; message: string; status: number } {
  if (!(error instanceof AwsError))
    return new AwsError('ServiceException', 'An internal error occurred.', 500);
  const { code, message, status } = error;
  return { code, message, status: /Signature|Token|Client/.test(code) ? 403 : status };
}

const notFound = (message: string) => new AwsError('ResourceNotFoundException', message, 404);
const invalid = (message: string) => new AwsError('InvalidParameterValueException', message);
