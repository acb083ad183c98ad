import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import {
  AdminCreateUserCommand,
  AdminSetUserPasswordCommand,
  CognitoIdentityProviderClient,
} from '@aws-sdk/client-cognito-identity-provider';
import { type Clock, createClock } from '../src/clock.ts';
import { startCognito } from '../src/cognito/server.ts';
import type { Call } from '../src/context.ts';
import type { Principal, Statement } from '../src/iam/policy.ts';

export const region = 'eu-central-1';
export const account = '123456789012';
export const poolId = `${region}_Abc123xyz`;
export const poolArn = `arn:aws:cognito-idp:${region}:${account}:userpool/${poolId}`;
export const everything: Statement[] = [{ Effect: 'Allow', Action: 'cognito-idp:*', Resource: poolArn }];

/** A trigger in a test; gets the event and returns it changed. */
export type Trigger = (event: TriggerEvent) => unknown;

export interface TriggerEvent {
  version: string;
  triggerSource: string;
  userName: string;
  userPoolId: string;
  request: Record<string, unknown> & { session?: { challengeName: string; challengeResult: boolean }[] };
  response: Record<string, unknown>;
}

export interface RunOptions {
  properties?: Record<string, unknown>;
  /** By client id; `all` allows every flow that is emulated. */
  clients?: Record<string, Record<string, unknown>>;
  triggers?: Record<string, Trigger>;
  folder?: string;
  clock?: Clock;
}

export const all = {
  ExplicitAuthFlows: [
    'ALLOW_ADMIN_USER_PASSWORD_AUTH',
    'ALLOW_USER_PASSWORD_AUTH',
    'ALLOW_USER_SRP_AUTH',
    'ALLOW_CUSTOM_AUTH',
    'ALLOW_REFRESH_TOKEN_AUTH',
  ],
  PreventUserExistenceErrors: 'ENABLED',
};

export const password = 'Correct-horse-7';

/** A running Cognito with one pool, and SDK clients of an administrator or of anybody. */
export async function run(t: TestContext, options: RunOptions = {}) {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'cognito-'));
  const clock = options.clock ?? createClock();
  const principals = new Map<string, Principal>();
  const calls: Call[] = [];
  const events: TriggerEvent[] = [];
  const triggers = options.triggers ?? {};
  const lambda = Object.fromEntries(Object.keys(triggers).map((name) => [name, `arn:${name}`]));
  const server = await startCognito({
    context: {
      clock,
      region,
      account,
      principal: (id) => principals.get(id),
      onCall: (call) => void calls.push(call),
      fault: () => undefined,
    },
    folder,
    pools: [
      {
        id: poolId,
        arn: poolArn,
        name: 'people',
        properties: { ...options.properties, LambdaConfig: { ...lambda, ...lambdaOf(options.properties) } },
        clients: Object.entries(options.clients ?? { app: all }).map(([id, properties]) => ({
          id,
          properties,
        })),
      },
    ],
    invokeTrigger: async (arn, event) => {
      events.push(structuredClone(event) as TriggerEvent);
      return triggers[arn.slice('arn:'.length)]?.(event as TriggerEvent);
    },
  });
  const close = async () => {
    await server.close();
    if (!options.folder) rmSync(folder, { recursive: true });
  };
  t.after(close);

  const clientFor = (policies: Statement[]) => {
    const principal: Principal = {
      arn: `arn:aws:iam::${account}:user/tester`,
      accessKeyId: `AKIA${randomUUID().replaceAll('-', '').slice(0, 16).toUpperCase()}`,
      secretAccessKey: randomUUID(),
      policies,
    };
    principals.set(principal.accessKeyId, principal);
    const { accessKeyId, secretAccessKey } = principal;
    const client = new CognitoIdentityProviderClient({
      region,
      endpoint: server.endpoint,
      credentials: { accessKeyId, secretAccessKey },
      maxAttempts: 1,
    });
    t.after(() => client.destroy());
    return client;
  };
  const admin = clientFor(everything);

  /** Makes a confirmed user with `password`. */
  const addUser = async (username: string, attributes: Record<string, string> = {}) => {
    const created = await admin.send(
      new AdminCreateUserCommand({
        UserPoolId: poolId,
        Username: username,
        UserAttributes: Object.entries(attributes).map(([Name, Value]) => ({ Name, Value })),
      }),
    );
    await admin.send(
      new AdminSetUserPasswordCommand({
        UserPoolId: poolId,
        Username: username,
        Password: password,
        Permanent: true,
      }),
    );
    return created.User;
  };
  return { endpoint: server.endpoint, folder, clock, calls, events, admin, clientFor, addUser };
}

function lambdaOf(properties: Record<string, unknown> = {}): Record<string, unknown> {
  return (properties['LambdaConfig'] as Record<string, unknown>) ?? {};
}

/** For assert.rejects: the error's name, and its message where it matters. */
export function named(name: string, message?: string | RegExp) {
  return (error: unknown) =>
    error instanceof Error &&
    error.name === name &&
    (message === undefined ||
      (typeof message === 'string' ? error.message === message : message.test(error.message)));
}
