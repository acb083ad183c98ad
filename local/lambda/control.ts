import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isAllowed, principalContext } from '../aws/iam.ts';
import { verifySignature } from '../aws/sigv4.ts';
import { AwsError, type Principal, type RunningServer, type Surroundings } from '../aws/types.ts';
import type { FunctionConfiguration } from './configuration.ts';
import { type FunctionPolicies, permissionStatement } from './permissions.ts';

type Operation = (target: FunctionConfiguration, input: Record<string, unknown>) => object;

const pathPattern = /^\/2015-03-31\/functions\/([^/]+)\/(policy|configuration)$/;
const longestBody = 64 * 1024;

/**
 * The part of Lambda's control API that concerns who may invoke a function, by its REST protocol: GetPolicy,
 * AddPermission and GetFunctionConfiguration of unqualified functions. No faults are played here: nothing that is deployed
 * calls it.
 */
export async function startLambdaControl(options: {
  surroundings: Surroundings;
  functions: FunctionConfiguration[];
  policies: FunctionPolicies;
  /** @default any free one */
  port?: number;
}): Promise<RunningServer> {
  const { surroundings, policies } = options;
  const operations: Record<string, { name: string; status: number; run: Operation }> = {
    'GET configuration': { name: 'GetFunctionConfiguration', status: 200, run: (target) => target },
    'GET policy': {
      name: 'GetPolicy',
      status: 200,
      run({ FunctionArn }) {
        const statements = policies.of(FunctionArn);
        if (statements.length === 0) throw notFound('The resource you requested does not exist.');
        const policy = { Version: '2012-10-17', Id: 'default', Statement: statements };
        return { Policy: JSON.stringify(policy), RevisionId: randomUUID() };
      },
    },
    'POST policy': {
      name: 'AddPermission',
      status: 201,
      run({ FunctionArn }, input) {
        const statement = readPermission(FunctionArn, input);
        if (policies.of(FunctionArn).some(({ Sid }) => Sid === statement.Sid)) {
          const message = `The statement id (${statement.Sid}) provided already exists. Please provide a new statement id, or remove the existing statement.`;
          throw new AwsError('ResourceConflictException', message, 409);
        }
        policies.add(FunctionArn, statement);
        return { Statement: JSON.stringify(statement) };
      },
    },
  };

  async function answer(request: IncomingMessage, body: Buffer): Promise<{ status: number; body: object }> {
    const [path = '/', query = ''] = (request.url ?? '/').split(/\?(.*)/s);
    const [, encoded = '', what] = pathPattern.exec(path) ?? [];
    const operation = operations[`${request.method} ${what}`];
    let principal: Principal | undefined;
    let status = 500;
    try {
      if (!operation) throw new AwsError('UnknownOperationException', '', 404);
      principal = verifySignature(
        { method: request.method ?? '', path, query, headers: request.headers, body },
        surroundings.principal,
        { service: 'lambda', region: surroundings.region, now: surroundings.clock.now() },
      );
      if (query !== '') throw invalid('Versions and aliases are not known here.');
      const given = decodeURIComponent(encoded);
      const arn = given.startsWith('arn:')
        ? given
        : `arn:aws:lambda:${surroundings.region}:${surroundings.account}:function:${given}`;
      authorize(principal, operation.name, arn);
      const target = options.functions.find(({ FunctionArn }) => FunctionArn === arn);
      if (!target) throw notFound(`Function not found: ${arn}`);
      const answered = operation.run(target, body.length > 0 ? JSON.parse(body.toString('utf8')) : {});
      status = operation.status;
      return { status, body: answered };
    } catch (error) {
      status = known(error).status;
      throw error;
    } finally {
      surroundings.onCall({
        service: 'lambda',
        operation: operation?.name ?? 'unknown',
        ...(principal ? { principal: principal.arn } : {}),
        status,
      });
    }
  }

  function authorize(principal: Principal, operation: string, resource: string): void {
    const action = `lambda:${operation}`;
    const context = principalContext(principal, surroundings.region);
    if (isAllowed(principal.policies, { action, resource, context })) return;
    throw new AwsError(
      'AccessDeniedException',
      `User: ${principal.arn} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`,
      403,
    );
  }

  const server = createServer((request, response) => {
    response.setHeader('date', new Date(surroundings.clock.now()).toUTCString());
    response.setHeader('x-amzn-requestid', randomUUID());
    void readBody(request)
      .then((body) => answer(request, body))
      .then(({ status, body }) => send(response, status, body))
      .catch((error: unknown) => sendError(response, error));
  });
  server.keepAliveTimeout = 0;
  const { promise: listening, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(options.port ?? 0, '127.0.0.1', resolve);
  await listening;
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    async close() {
      const closed = new Promise<void>((done) => server.close(() => done()));
      server.closeAllConnections();
      await closed;
    },
  };
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

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    length += chunk.length;
    if (length > longestBody) {
      throw new AwsError('RequestTooLargeException', `The request is larger than ${longestBody} bytes.`, 413);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function send(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.statusCode = status;
  response.setHeader('content-type', 'application/json');
  response.setHeader('content-length', Buffer.byteLength(text));
  response.end(text);
}

/** Errors are named in a header, and their body has `Type` and a capital `Message`. */
function sendError(response: ServerResponse, error: unknown): void {
  const { code, message, status } = known(error);
  response.setHeader('x-amzn-errortype', code);
  send(response, status, { Type: status < 500 ? 'User' : 'Service', Message: message });
}

/** What is wrong with a signature is 403 here, as what a policy forbids. */
function known(error: unknown): { code: string; message: string; status: number } {
  if (error instanceof SyntaxError) return new AwsError('SerializationException', 'The body is not JSON.');
  if (!(error instanceof AwsError))
    return new AwsError('ServiceException', 'An internal error occurred.', 500);
  const { code, message, status } = error;
  return { code, message, status: /Signature|Token|Client/.test(code) ? 403 : status };
}

const notFound = (message: string) => new AwsError('ResourceNotFoundException', message, 404);
const invalid = (message: string) => new AwsError('InvalidParameterValueException', message);
