import { type Aws, type AwsOptions, startAws } from '@countersign/local-aws';
import type { Principal } from '@countersign/local-aws/iam';
import type { InvokeResult } from '@countersign/local-aws/lambda/runtime';
import { describeLocally, type LocalJson } from './local-json.ts';
import { operationOf } from './operation-of.ts';
import { type SeededUser, seedUsers } from './seed.ts';

export interface ServiceOptions
  extends Pick<AwsOptions, 'assembly' | 'folder' | 'port' | 'clock' | 'environments' | 'onExchange'> {
  /** Receives one line for each step of the start. */
  onProgress?(line: string): void;
  /** Receives each line an operation logs; those of the access log as `access`. */
  onLog?(operation: string, line: string): void;
}

export interface Service
  extends Pick<Aws, 'url' | 'clock' | 'calls' | 'setFault' | 'principals' | 'eventsDelivered' | 'close'> {
  local: LocalJson;
  /** May do everything on this machine. */
  operator: Principal;
  /** Runs an operation by its name, such as `verify-login`, with the event as it is. */
  invoke(operation: string, event: unknown): Promise<InvokeResult>;
}

/**
 * Runs Countersign on this machine, with three users in its pool.
 *
 * @throws Error if the folder is in use, the port is taken, the template holds something not emulated, or a trigger fails
 */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { assembly, folder, port, clock, environments, onProgress, onLog, onExchange } = options;
  let users: SeededUser[] = [];
  const aws = await startAws({
    async assembly() {
      const made = typeof assembly === 'string' ? assembly : await assembly();
      onProgress?.('Starting KMS, DynamoDB and Cognito');
      return made;
    },
    folder,
    ...(port === undefined ? {} : { port }),
    ...(clock && { clock }),
    ...(environments === undefined ? {} : { environments }),
    ...(onExchange && { onExchange }),
    onLog: (constructPath, line) => onLog?.(operationOf(constructPath), line),
    onAccess: (line) => onLog?.('access', line),
    async prepare({ deployment, pools, endpoints, principals }) {
      onProgress?.('Making the first keys and the users');
      const [pool] = pools;
      if (!pool) throw new Error('The template has no user pool to run.');
      users = await seedUsers({
        pool,
        endpoint: endpoints.cognito,
        deployment,
        operator: operatorOf({ principals }),
      });
    },
  });
  const functions = new Map(
    aws.deployment
      .resources('AWS::Lambda::Function')
      .map((resource) => [operationOf(resource.path), resource.attribute('Arn')]),
  );
  const operator = operatorOf(aws);
  const { url, principals, calls, setFault, eventsDelivered, close } = aws;
  return {
    url,
    local: describeLocally(aws, { users, operator, admin: adminOf(aws) }),
    clock: aws.clock,
    calls,
    setFault,
    principals,
    operator,
    async invoke(operation, event) {
      const arn = functions.get(operation);
      if (arn === undefined) throw new Error(`No operation ${operation}.`);
      return aws.invoke(arn, event);
    },
    eventsDelivered,
    close,
  };
}

/** May do everything. */
function operatorOf({ principals }: Pick<Aws, 'principals'>): Principal {
  return principals.user('operator', [{ Effect: 'Allow', Action: '*', Resource: '*' }]);
}

/** May call the API's administrator endpoints, and nothing else. */
function adminOf({ principals, deployment }: Aws): Principal {
  const { region, account } = deployment;
  const [api] = deployment.resources('AWS::ApiGateway::RestApi');
  return principals.user('admin', [
    {
      Effect: 'Allow',
      Action: 'execute-api:Invoke',
      Resource: `arn:aws:execute-api:${region}:${account}:${api?.ref}/*`,
    },
  ]);
}
