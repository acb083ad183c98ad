import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isAllowed, principalContext } from './aws/iam.ts';
import { verifySignature } from './aws/sigv4.ts';
import {
  AwsError,
  type Service as AwsService,
  type Call,
  type Fault,
  type Principal,
  type RunningServer,
  type Surroundings,
} from './aws/types.ts';
import { type Clock, createClock } from './clock.ts';
import { startCognito } from './cognito/server.ts';
import {
  functionDefinition,
  keyDefinitions,
  operationOf,
  poolDefinitions,
  tableDefinitions,
} from './definitions.ts';
import { startDynamoDb } from './dynamodb.ts';
import { readApi } from './gateway/api.ts';
import { startGateway } from './gateway.ts';
import { startKms } from './kms.ts';
import { type InvokeResult, type Lambda, startLambda } from './lambda.ts';
import { apiKeyValues, describeLocally, type LocalJson } from './local-json.ts';
import { lockFolder } from './lock.ts';
import { createPrincipals, type Principals } from './principals.ts';
import { createInvokePermissions } from './roles.ts';
import { seedUsers } from './seed.ts';
import { openIdentifiers } from './template/identifiers.ts';
import { readDeployment } from './template.ts';
import { runTriggers } from './trigger.ts';

const REGION = 'us-east-1';
const ACCOUNT = '000000000000';
/** Calls kept for the tests that count them. */
const MOST_CALLS = 100_000;

export type AskFault = (call: {
  service: AwsService;
  operation: string;
  principal?: string;
}) => Fault | undefined;

export interface ServiceOptions {
  /** The folder of a synthesized assembly, or what makes one once the data folder is ours. */
  assembly: string | (() => Promise<string>);
  /** Holds everything that outlives a restart. Made if it is not there; one process at a time. */
  folder: string;
  /** @default any free one */
  port?: number;
  /** @default the machine's time */
  clock?: Clock;
  /** Execution environments of one function, at most. @default 4 */
  environments?: number;
  /** What is being done while starting, one line each. */
  onProgress?(line: string): void;
  /** Each line an operation writes, and the access log's under `access`. */
  onLog?(operation: string, line: string): void;
}

export interface Service {
  url: string;
  local: LocalJson;
  clock: Clock;
  /** Every request to an AWS service, in the order they were answered. */
  calls: Call[];
  /** Asked before each of them; undefined takes it away. */
  setFault(ask: AskFault | undefined): void;
  principals: Principals;
  /** May do everything on this machine. */
  operator: Principal;
  /** Runs an operation by its name, as in `verify-login`, with the event as it is. */
  invoke(operation: string, event: unknown): Promise<InvokeResult>;
  /** Requests under way are answered, then everything stops. */
  close(): Promise<void>;
}

/**
 * Runs a synthesized deployment on this machine. What runs in AWS beside the functions is started on loopback, the
 * deployment's triggers have run and three users are there when it returns.
 *
 * @throws Error for a folder in use, a port taken, a template that holds something not known here, a failed trigger
 */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { folder, clock = createClock(), onProgress = () => {} } = options;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const closers: (() => unknown)[] = [lockFolder(folder)];
  const close = async () => {
    while (closers.length > 0) await closers.pop()?.();
  };
  const running = async <S extends RunningServer>(starting: Promise<S>): Promise<S> => {
    const server = await starting;
    closers.push(() => server.close());
    return server;
  };
  try {
    const assembly = typeof options.assembly === 'string' ? options.assembly : await options.assembly();
    const identifiers = openIdentifiers(folder);
    const deployment = readDeployment({ assembly, region: REGION, account: ACCOUNT, identifiers });
    const principals = createPrincipals(deployment, identifiers);
    const calls: Call[] = [];
    let askFault: AskFault | undefined;
    const surroundings: Surroundings = {
      clock,
      region: REGION,
      account: ACCOUNT,
      principal: principals.find,
      onCall(call) {
        if (calls.push(call) > MOST_CALLS) calls.splice(0, MOST_CALLS / 2);
      },
      fault: (call) => askFault?.(call),
    };
    const dataOf = (name: string) => {
      const path = join(folder, name);
      mkdirSync(path, { recursive: true });
      return path;
    };

    onProgress('Starting KMS, DynamoDB and Cognito');
    let lambda: Lambda | undefined;
    const invokeFunction = async (arn: string, event: unknown): Promise<InvokeResult> => {
      if (!lambda) throw new Error('Lambda has not been started.');
      return lambda.invoke(arn, event);
    };
    const mayInvoke = createInvokePermissions(deployment);
    const kms = await running(
      startKms({ surroundings, folder: dataOf('kms'), keys: keyDefinitions(deployment) }),
    );
    const dynamodb = await running(
      startDynamoDb({
        surroundings,
        folder: dataOf('dynamodb'),
        tables: tableDefinitions(deployment),
        mayDecryptVia: kms.mayDecryptVia,
      }),
    );
    const pools = poolDefinitions(deployment);
    const cognito = await running(
      startCognito({
        surroundings,
        folder: dataOf('cognito'),
        pools,
        async invokeTrigger(functionArn, event) {
          const pool = pools.find(({ id }) => id === (event as { userPoolId?: string }).userPoolId);
          if (!mayInvoke(functionArn, 'cognito-idp.amazonaws.com', pool?.arn ?? '')) {
            const message = `${functionArn} failed with error AccessDeniedException.`;
            throw new AwsError('UnexpectedLambdaException', message);
          }
          const result = await invokeFunction(functionArn, event);
          if (!result.ok) throw new Error(result.error.errorMessage);
          return result.payload;
        },
      }),
    );

    const functions = deployment.resources('AWS::Lambda::Function');
    const operations = new Map(functions.map((resource) => [resource.ref, operationOf(resource)]));
    const sessions = new Map(functions.map((resource) => [resource, principals.ofFunction(resource)]));
    lambda = startLambda({
      functions: [...sessions].map(([resource, session]) =>
        functionDefinition(deployment, resource, session),
      ),
      clock,
      region: REGION,
      endpoints: {
        AWS_ENDPOINT_URL_DYNAMODB: dynamodb.endpoint,
        AWS_ENDPOINT_URL_KMS: kms.endpoint,
        AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER: cognito.endpoint,
      },
      hosts: { [`cognito-idp.${REGION}.amazonaws.com`]: cognito.endpoint },
      ...(options.environments === undefined ? {} : { environments: options.environments }),
      onLine: (name, line) => options.onLog?.(operations.get(name) ?? name, line),
    });
    const { close: closeLambda } = lambda;
    closers.push(() => closeLambda());

    onProgress('Making the first keys and the users');
    const [pool] = pools;
    if (!pool) throw new Error('The template has no user pool to run.');
    const operator = principals.user('operator', [{ Effect: 'Allow', Action: '*', Resource: '*' }]);
    const [users] = await Promise.all([
      seedUsers({ pool, endpoint: cognito.endpoint, region: REGION, operator, identifiers }),
      runTriggers(deployment, sessions, invokeFunction),
    ]);

    const api = readApi(deployment);
    const keyValues = apiKeyValues(deployment, identifiers);
    const admin = principals.user('admin', [
      {
        Effect: 'Allow',
        Action: 'execute-api:Invoke',
        Resource: `arn:aws:execute-api:${REGION}:${ACCOUNT}:${api.id}/*`,
      },
    ]);
    const gateway = await running(
      startGateway({
        api,
        clock,
        keyValues,
        authenticate: ({ method, path, query, headers, body }) =>
          verifySignature({ method, path, query, headers: lowerCased(headers), body }, principals.find, {
            service: 'execute-api',
            region: REGION,
            now: clock.now(),
          }),
        mayCall: (principal, methodArn, sourceIp) =>
          isAllowed(principal.policies, {
            action: 'execute-api:Invoke',
            resource: methodArn,
            context: { ...principalContext(principal, REGION), 'aws:SourceIp': sourceIp },
          }),
        mayInvoke: (functionArn, sourceArn) => mayInvoke(functionArn, 'apigateway.amazonaws.com', sourceArn),
        invoke: invokeFunction,
        ...(options.port === undefined ? {} : { port: options.port }),
        onAccess: (line) => options.onLog?.('access', line),
      }),
    );

    const url = gateway.endpoint.replace('127.0.0.1', 'localhost');
    return {
      url,
      local: describeLocally({
        url,
        api,
        keyValues,
        users,
        pool,
        deployment,
        admin,
        operator,
        cognito,
        dynamodb,
        kms,
      }),
      clock,
      calls,
      setFault: (ask) => {
        askFault = ask;
      },
      principals,
      operator,
      async invoke(operation, event) {
        const found = functions.find((resource) => operations.get(resource.ref) === operation);
        if (!found) throw new Error(`No operation ${operation}.`);
        return invokeFunction(found.attribute('Arn'), event);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** As Node.js gives them: several of one name as one, parted by commas. */
function lowerCased(headers: [string, string][]): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    const before = joined[lower];
    joined[lower] = before === undefined ? value : `${before},${value}`;
  }
  return joined;
}
