import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Deployment, Resource } from './cloudformation/deployment.ts';
import { recordOf } from './cognito/cloud-trail.ts';
import { type PoolDefinition, startCognito } from './cognito/server.ts';
import {
  functionDefinition,
  keyDefinitions,
  operationOf,
  poolDefinitions,
  tableDefinitions,
} from './definitions.ts';
import { startDynamoDb } from './dynamodb/server.ts';
import { createEventBus, type EventBus } from './eventbridge/bus.ts';
import { isAllowed } from './iam/policy.ts';
import type { Principals } from './iam/principals.ts';
import { startKms } from './kms/server.ts';
import { configurationOf } from './lambda/configuration.ts';
import { type FunctionPolicies, openFunctionPolicies } from './lambda/permissions.ts';
import { type FunctionDefinition, type InvokeResult, type Lambda, startLambda } from './lambda/runtime.ts';
import { startLambdaControl } from './lambda/server.ts';
import { AwsError, type Principal, type RunningServer, type Surroundings } from './types.ts';

/** What runs behind the gateway. */
export interface Backends {
  kms: RunningServer;
  dynamodb: RunningServer;
  cognito: RunningServer;
  pools: PoolDefinition[];
  /** The functions and whom they run as. */
  sessions: ReadonlyMap<Resource, Principal>;
  /** Who may invoke which function. */
  mayInvoke: FunctionPolicies['mayInvoke'];
  /** Lambda's control API. */
  lambda: RunningServer;
  invoke: Lambda['invoke'];
  events: EventBus;
}

/**
 * Starts KMS, DynamoDB and Cognito on free ports, each with its own folder in `folder`, and Lambda to run against them.
 *
 * @param running called with each as it has started, to stop it later
 */
export async function startBackends(options: {
  deployment: Deployment;
  surroundings: Surroundings;
  principals: Principals;
  folder: string;
  environments?: number;
  onLog?(operation: string, line: string): void;
  /** Whether EventBridge is there already to hear of what is done at Cognito. */
  listening(): boolean;
  running(server: { close(): Promise<void> }): void;
}): Promise<Backends> {
  const { deployment, surroundings, principals, folder, running } = options;
  const { clock, region } = surroundings;
  const dataOf = (name: string) => {
    const path = join(folder, name);
    mkdirSync(path, { recursive: true });
    return path;
  };

  const kms = await startKms({ surroundings, folder: dataOf('kms'), keys: keyDefinitions(deployment) });
  running(kms);
  const dynamodb = await startDynamoDb({
    surroundings,
    folder: dataOf('dynamodb'),
    tables: tableDefinitions(deployment),
    mayDecryptVia: kms.mayDecryptVia,
  });
  running(dynamodb);

  const policies = openFunctionPolicies(deployment, dataOf('lambda'));
  const control = await startLambdaControl({
    surroundings,
    functions: deployment.resources('AWS::Lambda::Function').map(configurationOf),
    policies,
    // Nothing runs before all that it calls is there.
    lambda: { invoke, renew: (functionArn) => lambda.renew(functionArn) },
  });
  running(control);

  const { mayInvoke } = policies;
  const pools = poolDefinitions(deployment);
  const events = createEventBus(deployment, mayInvoke, invoke, clock.now);
  const cognito = await startCognito({
    surroundings,
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
      if (!options.listening()) return;
      const event = recordOf(call, surroundings);
      surroundings.onExchange?.({
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

  const sessions = new Map<Resource, Principal>();
  const functions = deployment.resources('AWS::Lambda::Function').map((resource) => {
    const session = principals.ofFunction(resource);
    sessions.set(resource, session);
    return {
      operation: operationOf(resource),
      definition: functionDefinition(deployment, resource, session),
      session,
    };
  });
  const loggers = new Map(
    functions.map(({ operation, definition, session }) => [
      definition.name,
      mayLog(definition, session, surroundings) ? operation : undefined,
    ]),
  );
  const lambda = startLambda({
    functions: functions.map(({ definition }) => definition),
    clock,
    region,
    endpoints: {
      AWS_ENDPOINT_URL_DYNAMODB: dynamodb.endpoint,
      AWS_ENDPOINT_URL_KMS: kms.endpoint,
      AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER: cognito.endpoint,
    },
    // Of the pool's issuers, where their keys are.
    hosts: Object.fromEntries(
      ['cognito-idp', 'issuer-cognito-idp'].map((host) => [
        `${host}.${region}.amazonaws.com`,
        cognito.endpoint,
      ]),
    ),
    ...(options.environments === undefined ? {} : { environments: options.environments }),
    onLine(name, line) {
      const operation = loggers.get(name);
      if (operation !== undefined) options.onLog?.(operation, line);
    },
  });
  running(lambda);
  // Stops before Lambda does: what it would invoke after that nobody would stop.
  running(events);

  // Cognito has it before Lambda runs, and calls it after.
  async function invoke(functionArn: string, event: unknown): Promise<InvokeResult> {
    return lambda.invoke(functionArn, event);
  }
  return { kms, dynamodb, cognito, lambda: control, pools, sessions, mayInvoke, invoke, events };
}

/** A function writes its log by its own role: without the grant, CloudWatch would never show a line. */
function mayLog(
  { name, logGroup }: FunctionDefinition,
  { policies }: Principal,
  { region, account }: Surroundings,
): boolean {
  return isAllowed(policies, {
    action: 'logs:PutLogEvents',
    resource: `arn:aws:logs:${region}:${account}:log-group:${logGroup}:log-stream:${name}`,
    context: {},
  });
}
