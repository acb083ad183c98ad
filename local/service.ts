import { mkdirSync } from 'node:fs';
import { startFront } from '@countersign/local-aws/api-gateway/front';
import { readApi } from '@countersign/local-aws/api-gateway/template';
import { startBackends } from '@countersign/local-aws/backends';
import { type Clock, createClock } from '@countersign/local-aws/clock';
import { runTriggers } from '@countersign/local-aws/cloudformation/custom-triggers';
import { readDeployment } from '@countersign/local-aws/cloudformation/deployment';
import { openIdentifiers } from '@countersign/local-aws/cloudformation/identifiers';
import { createSurroundings, type Observed } from '@countersign/local-aws/context';
import { operationOf } from '@countersign/local-aws/definitions';
import { checkSchedules } from '@countersign/local-aws/eventbridge/rules';
import { lockFolder } from '@countersign/local-aws/files/lock';
import { createPrincipals, type Principals } from '@countersign/local-aws/iam/principals';
import type { InvokeResult } from '@countersign/local-aws/lambda/runtime';
import type { Exchange, Principal } from '@countersign/local-aws/types';
import { apiKeyValues, describeLocally, type LocalJson } from './local-json.ts';
import { seedUsers } from './seed.ts';

const PLACE = { region: 'us-east-1', account: '000000000000' };

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
  /** Everything that goes over the wire: to and from the gateway and the embedded servers, and events. */
  onExchange?(exchange: Exchange): void;
}

export interface Service extends Omit<Observed, 'surroundings'> {
  url: string;
  local: LocalJson;
  clock: Clock;
  principals: Principals;
  /** May do everything on this machine. */
  operator: Principal;
  /** Runs an operation by its name, as in `verify-login`, with the event as it is. */
  invoke(operation: string, event: unknown): Promise<InvokeResult>;
  /** When every event that EventBridge has got so far has been delivered. */
  eventsDelivered(): Promise<void>;
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
  {
    assembly,
    folder,
    clock = createClock(),
    onProgress,
    onLog,
    onExchange,
    environments,
    port,
  }: ServiceOptions,
  close: () => Promise<void>,
  running: (server: { close(): Promise<void> }) => void,
): Promise<Service> {
  const synthesized = typeof assembly === 'string' ? assembly : await assembly();
  const identifiers = openIdentifiers(folder);
  const deployment = readDeployment({ ...PLACE, assembly: synthesized, identifiers });
  const api = readApi(deployment);
  const keyValues = apiKeyValues(deployment, identifiers);
  const principals = createPrincipals(deployment, identifiers);
  const { surroundings, calls, setFault } = createSurroundings(clock, PLACE, principals.find, onExchange);

  onProgress?.('Starting KMS, DynamoDB and Cognito');
  let listening = false;
  const backends = await startBackends({
    deployment,
    surroundings,
    principals,
    folder,
    running,
    listening: () => listening,
    ...(environments === undefined ? {} : { environments }),
    ...(onLog ? { onLog } : {}),
  });
  const { pools, cognito, sessions, mayInvoke, invoke, events } = backends;
  checkSchedules(deployment, mayInvoke);

  onProgress?.('Making the first keys and the users');
  const [pool] = pools;
  if (!pool) throw new Error('The template has no user pool to run.');
  const operator = principals.user('operator', [{ Effect: 'Allow', Action: '*', Resource: '*' }]);
  const admin = principals.user('admin', [
    {
      Effect: 'Allow',
      Action: 'execute-api:Invoke',
      Resource: `arn:aws:execute-api:${PLACE.region}:${PLACE.account}:${api.id}/*`,
    },
  ]);
  const [users] = await Promise.all([
    seedUsers({ pool, endpoint: cognito.endpoint, region: PLACE.region, operator, identifiers }),
    runTriggers(deployment, sessions, invoke),
  ]);
  // The users were there before the deployment: it does not hear of the passwords that they were given.
  listening = true;

  const gateway = await startFront({
    api,
    keyValues,
    surroundings,
    mayInvoke,
    invoke,
    onAccess: (line) => onLog?.('access', line),
    ...(port === undefined ? {} : { port }),
  });
  running(gateway);
  const url = gateway.endpoint.replace('127.0.0.1', 'localhost');
  return {
    url,
    local: describeLocally({ ...backends, url, api, keyValues, users, pool, deployment, admin, operator }),
    clock,
    calls,
    setFault,
    principals,
    operator,
    async invoke(operation, event) {
      const found = [...sessions.keys()].find((resource) => operationOf(resource) === operation);
      if (!found) throw new Error(`No operation ${operation}.`);
      return invoke(found.attribute('Arn'), event);
    },
    eventsDelivered: events.settled,
    close,
  };
}
