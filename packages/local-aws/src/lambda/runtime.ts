import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { type Environment, type Outcome, startEnvironment } from './environment.ts';
import type { FunctionError } from './messages.ts';
import type { Hosts } from './network.ts';

/** A function as it would be deployed. */
export interface FunctionDefinition {
  name: string;
  arn: string;
  /** The folder with its code. */
  folder: string;
  handler: string;
  timeoutSeconds: number;
  memoryMb: number;
  /** Its own variables. */
  variables: Record<string, string>;
  /** The credentials of its role. */
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken: string };
  logGroup: string;
}

export interface Runtime {
  /**
   * Invokes a function and waits for it (RequestResponse). The event and the answer pass as JSON.
   *
   * @param functionArn with or without a version
   * @throws Error if there is no such function
   */
  invoke(functionArn: string, event: unknown): Promise<InvokeResult>;
  /**
   * Runs later invocations in new environments, as after a change of the function's configuration. Busy environments
   * finish their work.
   *
   * @throws Error if there is no such function
   */
  renew(functionArn: string): void;
  /** Ends every environment, busy ones included. */
  close(): Promise<void>;
}

export type InvokeResult = { ok: true; payload: unknown } | { ok: false; error: FunctionError };

/** Lambda's quota on a synchronous answer. */
const MAX_ANSWER_BYTES = 6 * 1024 * 1024;

/**
 * Runs functions in worker threads. Each environment works on one event at a time. If all of a function's environments
 * are busy, a new one starts, up to `environments`; further events wait in order.
 */
export function startRuntime(options: {
  functions: FunctionDefinition[];
  clock: Clock;
  region: string;
  /** Environment variable → endpoint, as in AWS_ENDPOINT_URL_KMS. */
  endpoints: Record<string, string>;
  /** Hosts on the Internet that are served on loopback here. */
  hosts: Hosts;
  /** At most so many a function. @default 4 */
  environments?: number;
  onLine?(functionName: string, line: string): void;
}): Runtime {
  const most = options.environments ?? 4;
  const pools = new Map(options.functions.map((definition) => [definition.arn, createPool(definition)]));

  function createPool(definition: FunctionDefinition) {
    const all = new Set<Environment>();
    const idle: Environment[] = [];
    /** Busy environments that stop when their work is done. */
    const outdated = new Set<Environment>();
    const queue: PromiseWithResolvers<Environment>[] = [];
    let closed = false;

    function start(): Environment {
      const environment = startEnvironment({
        start: {
          folder: definition.folder,
          handler: definition.handler,
          clock: options.clock.shared,
          hosts: options.hosts,
        },
        variables: variablesOf(definition),
        memoryMb: definition.memoryMb,
        timeoutSeconds: definition.timeoutSeconds,
        onLine: (line) => options.onLine?.(definition.name, line),
      });
      all.add(environment);
      return environment;
    }

    function take(): Environment | Promise<Environment> {
      const environment = idle.pop();
      if (environment?.alive()) return environment;
      if (environment) all.delete(environment);
      if (idle.length > 0) return take();
      if (all.size < most) return start();
      const place = Promise.withResolvers<Environment>();
      queue.push(place);
      return place.promise;
    }

    function giveBack(environment: Environment): void {
      if (outdated.delete(environment)) void environment.stop();
      if (!environment.alive()) {
        all.delete(environment);
        void environment.stop();
      }
      if (closed) return;
      const next = queue.shift();
      if (next) next.resolve(environment.alive() ? environment : start());
      else if (environment.alive()) idle.push(environment);
    }

    return {
      async invoke(event: unknown): Promise<Outcome> {
        const environment = await take();
        try {
          const error = await environment.started;
          if (error) {
            await environment.stop();
            return { ok: false, error };
          }
          return await environment.run({
            payload: JSON.stringify(event) ?? 'null',
            requestId: randomUUID(),
            deadline: Date.now() + definition.timeoutSeconds * 1000 * options.clock.slowness,
            functionArn: definition.arn,
          });
        } finally {
          giveBack(environment);
        }
      },
      renew() {
        for (const environment of all) outdated.add(environment);
        for (const environment of idle.splice(0)) {
          outdated.delete(environment);
          all.delete(environment);
          void environment.stop();
        }
      },
      async close() {
        closed = true;
        for (const place of queue.splice(0)) place.reject(new Error(`${definition.name} has been stopped.`));
        await Promise.all([...all].map((environment) => environment.stop()));
      },
    };
  }

  /** "Defined runtime environment variables", the endpoints of this machine, and the function's own. */
  function variablesOf(definition: FunctionDefinition): Record<string, string> {
    return {
      // A home of its own keeps the SDK away from the configuration of whoever runs this.
      HOME: '/home/sbx_user1051',
      LANG: 'en_US.UTF-8',
      TZ: ':UTC',
      ...definition.variables,
      ...options.endpoints,
      // Reserved: a function cannot be given its own.
      LAMBDA_TASK_ROOT: definition.folder,
      _HANDLER: definition.handler,
      AWS_ACCESS_KEY_ID: definition.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: definition.credentials.secretAccessKey,
      AWS_SESSION_TOKEN: definition.credentials.sessionToken,
      AWS_REGION: options.region,
      AWS_DEFAULT_REGION: options.region,
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
      AWS_LAMBDA_FUNCTION_NAME: definition.name,
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(definition.memoryMb),
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      AWS_LAMBDA_LOG_GROUP_NAME: definition.logGroup,
      AWS_LAMBDA_LOG_STREAM_NAME: `${new Date(options.clock.now()).toISOString().slice(0, 10).replaceAll('-', '/')}/[$LATEST]${randomUUID().replaceAll('-', '')}`,
    };
  }

  function poolOf(functionArn: string) {
    const pool = pools.get(functionArn.split(':').slice(0, 7).join(':'));
    if (!pool) throw new Error(`Function not found: ${functionArn}`);
    return pool;
  }

  return {
    async invoke(functionArn, event) {
      const outcome = await poolOf(functionArn).invoke(event);
      if (!outcome.ok) return outcome;
      if (Buffer.byteLength(outcome.payload) > MAX_ANSWER_BYTES) {
        return {
          ok: false,
          error: {
            errorType: 'Function.ResponseSizeTooLarge',
            errorMessage: `Response payload size exceeded maximum allowed payload size (${MAX_ANSWER_BYTES} bytes).`,
          },
        };
      }
      return { ok: true, payload: JSON.parse(outcome.payload) };
    },
    renew: (functionArn) => poolOf(functionArn).renew(),
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.close()));
    },
  };
}
