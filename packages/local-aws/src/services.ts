import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AwsError } from './aws-error.ts';
import type { Deployment, Resource } from './cloudformation/deployment.ts';
import { recordOf } from './cognito/cloud-trail.ts';
import type { PoolDefinition } from './cognito/pool.ts';
import { startCognito } from './cognito/server.ts';
import { poolDefinitions } from './cognito/template.ts';
import type { Context } from './context.ts';
import { startDynamoDb } from './dynamodb/server.ts';
import { tableDefinitions } from './dynamodb/template.ts';
import { createEventBus, type EventBus } from './eventbridge/bus.ts';
import { isAllowed, type Principal } from './iam/policy.ts';
import type { Principals } from './iam/principals.ts';
import { startKms } from './kms/server.ts';
import { keyDefinitions } from './kms/template.ts';
import { type FunctionPolicies, openFunctionPolicies } from './lambda/permissions.ts';
import { type FunctionDefinition, type InvokeResult, type Runtime, startRuntime } from './lambda/runtime.ts';
import { startLambda } from './lambda/server.ts';
import { functionDefinition } from './lambda/template.ts';

/** The services behind the REST API. */
export interface Services {
  endpoints: Record<'cognito' | 'dynamodb' | 'kms' | 'lambda', string>;
  pools: PoolDefinition[];
  /** The session each function runs under. */
  sessions: ReadonlyMap<Resource, Principal>;
  mayInvoke: FunctionPolicies['mayInvoke'];
  invoke: Runtime['invoke'];
  events: EventBus;
}

/**
 * Starts KMS, DynamoDB and Cognito on free ports, each with a folder of its own in `folder`, and Lambda to call them.
 *
 * @param running called with each part once it has started, so that the caller can stop it
 */
export async function startServices(options: {
  deployment: Deployment;
  context: Context;
  principals: Principals;
  folder: string;
  environments?: number;
  onLog?(constructPath: string, line: string): void;
  /** Whether the deployment is complete: before that, EventBridge has no rules. */
  deployed(): boolean;
  running(server: { close(): Promise<void> }): void;
}): Promise<Services> {
  const { deployment, context, folder, running } = options;
  const dataOf = (name: string) => {
    const path = join(folder, name);
    mkdirSync(path, { recursive: true });
    return path;
  };

  const kms = await startKms({ context, folder: dataOf('kms'), keys: keyDefinitions(deployment) });
  running(kms);
  const dynamodb = await startDynamoDb({
    context,
    folder: dataOf('dynamodb'),
    tables: tableDefinitions(deployment),
    mayDecryptVia: kms.mayDecryptVia,
  });
  running(dynamodb);

  const policies = openFunctionPolicies(deployment, dataOf('lambda'));
  const { mayInvoke } = policies;
  // The functions start last, since they call the others. Nothing is invoked before.
  const invoke = async (functionArn: string, event: unknown): Promise<InvokeResult> =>
    runtime.invoke(functionArn, event);
  const renew = (functionArn: string) => runtime.renew(functionArn);
  const lambda = await startLambda({ context, deployment, policies, runtime: { invoke, renew } });
  running(lambda);

  const pools = poolDefinitions(deployment);
  const events = createEventBus(deployment, mayInvoke, invoke, context.clock.now);
  const cognito = await startCognito({
    context,
    folder: dataOf('cognito'),
    pools,
    async invokeTrigger(functionArn, event) {
      const pool = pools.find(({ id }) => id === (event as { userPoolId?: string }).userPoolId);
      if (!mayInvoke(functionArn, 'cognito-idp.amazonaws.com', pool?.arn ?? '')) {
        const message = `${functionArn} failed with error AccessDeniedException.`;
        throw new AwsError('UnexpectedLambdaException', message);
      }
      const result = await invoke(functionArn, event);
      if (!result.ok) throw new Error(result.error.errorMessage);
      return result.payload;
    },
    onApiCall(call) {
      if (!options.deployed()) return;
      const event = recordOf(call, context);
      context.onExchange?.({
        service: 'events',
        operation: call.operation,
        request: { headers: {}, body: JSON.stringify(event) },
        status: 200,
        answer: { headers: {}, body: '' },
      });
      events.put(event);
    },
  });
  running(cognito);

  const endpoints = {
    cognito: cognito.endpoint,
    dynamodb: dynamodb.endpoint,
    kms: kms.endpoint,
    lambda: lambda.endpoint,
  };
  const { runtime, sessions } = startFunctions({ ...options, endpoints });
  running(runtime);
  // Stops before the functions do: nobody would stop what it invokes after that.
  running(events);
  return { endpoints, pools, sessions, mayInvoke, invoke, events };
}

/** Starts the template's functions, each under a session of its role. */
function startFunctions(options: {
  deployment: Deployment;
  context: Context;
  principals: Principals;
  endpoints: Services['endpoints'];
  environments?: number;
  onLog?(constructPath: string, line: string): void;
}): { runtime: Runtime; sessions: Map<Resource, Principal> } {
  const { deployment, context, principals, endpoints } = options;
  const sessions = new Map<Resource, Principal>();
  const constructPaths = new Map<string, string>();
  const functions = deployment.resources('AWS::Lambda::Function').map((resource) => {
    const session = principals.ofFunction(resource);
    sessions.set(resource, session);
    const definition = functionDefinition(deployment, resource, session);
    if (mayLog(definition, session, context)) constructPaths.set(definition.name, resource.path);
    return definition;
  });
  const runtime = startRuntime({
    functions,
    clock: context.clock,
    region: context.region,
    endpoints: {
      AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
      AWS_ENDPOINT_URL_KMS: endpoints.kms,
      AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER: endpoints.cognito,
    },
    // The pools' issuers publish their keys on these hosts.
    hosts: Object.fromEntries(
      ['cognito-idp', 'issuer-cognito-idp'].map((host) => [
        `${host}.${context.region}.amazonaws.com`,
        endpoints.cognito,
      ]),
    ),
    ...(options.environments === undefined ? {} : { environments: options.environments }),
    onLine(name, line) {
      const path = constructPaths.get(name);
      if (path !== undefined) options.onLog?.(path, line);
    },
  });
  return { runtime, sessions };
}

/** A function writes its log under its own role: without the grant, CloudWatch would never show a line. */
function mayLog(
  { name, logGroup }: FunctionDefinition,
  { policies }: Principal,
  { region, account }: Context,
): boolean {
  return isAllowed(policies, {
    action: 'logs:PutLogEvents',
    resource: `arn:aws:logs:${region}:${account}:log-group:${logGroup}:log-stream:${name}`,
    context: {},
  });
}
