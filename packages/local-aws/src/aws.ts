import { mkdirSync } from 'node:fs';
import { createIamAuthorizer } from './api-gateway/iam.ts';
import { type ApiKeyValue, readApiKeys } from './api-gateway/keys.ts';
import { startApiGateway } from './api-gateway/server.ts';
import { readApi } from './api-gateway/template.ts';
import { type Clock, createClock } from './clock.ts';
import { runCustomTriggers } from './cloudformation/custom-triggers.ts';
import { type Deployment, readDeployment } from './cloudformation/deployment.ts';
import { createContext, type Exchange, type ObservedContext } from './context.ts';
import { checkSchedules } from './eventbridge/rules.ts';
import { lockFolder } from './files/lock.ts';
import { createPrincipals, type Principals } from './iam/principals.ts';
import type { InvokeResult } from './lambda/runtime.ts';
import { type Services, startServices } from './services.ts';

export interface AwsOptions {
  /** The folder of a cloud assembly, or a function that makes one once the data folder is locked. */
  assembly: string | (() => Promise<string>);
  /** Keeps everything that survives a restart. Made if missing; used by one process at a time. */
  folder: string;
  /** @default us-east-1 */
  region?: string;
  /** @default 000000000000 */
  account?: string;
  /** The port of the REST API. @default any free one */
  port?: number;
  /** @default the machine's time */
  clock?: Clock;
  /** Execution environments of one function, at most. @default 4 */
  environments?: number;
  /**
   * Sets up what is older than the deployment, such as users of a pool. It runs beside the deployment's own triggers;
   * EventBridge delivers none of its calls.
   */
  prepare?(aws: PreparedAws): Promise<void>;
  /** Receives each line that a function logs, with the path of its construct. */
  onLog?(constructPath: string, line: string): void;
  /** Receives each line of the API's access log. */
  onAccess?(line: string): void;
  /** Receives everything that goes over the wire, and every event. */
  onExchange?(exchange: Exchange): void;
}

/** Everything but the REST API. */
export interface PreparedAws extends Pick<Services, 'pools' | 'endpoints'> {
  deployment: Deployment;
  principals: Principals;
}

export interface Aws extends PreparedAws, Omit<ObservedContext, 'context'> {
  /** The address of the REST API. */
  url: string;
  apiKeys: ApiKeyValue[];
  clock: Clock;
  /** Invokes the function of an ARN with the event as it is, and waits for it. */
  invoke(functionArn: string, event: unknown): Promise<InvokeResult>;
  /** Resolves when EventBridge has delivered every event it has received so far. */
  eventsDelivered(): Promise<void>;
  /** Answers the requests in progress, then stops everything. */
  close(): Promise<void>;
}

/**
 * Runs a cloud assembly on this machine: starts the services of its template on loopback, then its deployment triggers.
 *
 * @returns once the REST API answers
 * @throws Error if the folder is in use, the port is taken, the template holds something not emulated, or a trigger fails
 */
export async function startAws(options: AwsOptions): Promise<Aws> {
  const { folder } = options;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const closers: (() => unknown)[] = [lockFolder(folder)];
  const close = async () => {
    while (closers.length > 0) await closers.pop()?.();
  };
  try {
    return await start(options, close, (server) => void closers.push(() => server.close()));
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(
  options: AwsOptions,
  close: () => Promise<void>,
  running: (server: { close(): Promise<void> }) => void,
): Promise<Aws> {
  const { assembly, folder, region = 'us-east-1', account = '000000000000', clock = createClock() } = options;
  const { port, environments, prepare, onLog, onAccess, onExchange } = options;
  const deployment = readDeployment({
    assembly: typeof assembly === 'string' ? assembly : await assembly(),
    folder,
    region,
    account,
  });
  const api = readApi(deployment);
  const apiKeys = readApiKeys(deployment, api);
  const principals = createPrincipals(deployment);
  const { context, calls, setFault } = createContext({
    clock,
    region,
    account,
    principal: principals.find,
    ...(onExchange && { onExchange }),
  });

  let deployed = false;
  const services = await startServices({
    deployment,
    context,
    principals,
    folder,
    running,
    deployed: () => deployed,
    ...(environments === undefined ? {} : { environments }),
    ...(onLog && { onLog }),
  });
  const { mayInvoke, invoke, events } = services;
  checkSchedules(deployment, mayInvoke);
  const prepared = { deployment, principals, pools: services.pools, endpoints: services.endpoints };
  await Promise.all([prepare?.(prepared), runCustomTriggers(deployment, services.sessions, invoke)]);
  deployed = true;

  const gateway = await startApiGateway({
    api,
    clock,
    iam: createIamAuthorizer(context),
    keyValues: new Map(apiKeys.map(({ id, value }) => [id, value])),
    mayInvoke: (functionArn, sourceArn) => mayInvoke(functionArn, 'apigateway.amazonaws.com', sourceArn),
    invoke,
    ...(port === undefined ? {} : { port }),
    ...(onAccess && { onAccess }),
    ...(onExchange && { onExchange }),
  });
  running(gateway);
  return {
    ...prepared,
    url: gateway.endpoint.replace('127.0.0.1', 'localhost'),
    apiKeys,
    clock,
    calls,
    setFault,
    invoke,
    eventsDelivered: events.settled,
    close,
  };
}
