import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  globSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

import { createClock } from '@countersign/local-aws/clock';
import type { Exchange } from '@countersign/local-aws/context';
import { type Service, type ServiceOptions, startService } from '../../local/service.ts';
import { synthesize } from '../../local/synth.ts';
import { breachOf, operationOf } from './contract.ts';

import { createWiretap, type Wiretap } from './wiretap.ts';

interface Options extends Pick<ServiceOptions, 'environments' | 'onLog' | 'onExchange'> {
  /** See `Clock`. @default 5: a busy machine looks like no service that hangs */
  slowness?: number;
  /** Properties of the user pool that somebody has set otherwise than the template. */
  userPool?: Record<string, unknown>;
  /** Sets the environment of functions otherwise than the template, as by hand: by the name of the operation. */
  variables?: Record<string, (given: Record<string, unknown>) => Record<string, unknown>>;
}

interface TemplateResource {
  Type: string;
  Properties: Record<string, unknown>;
}

type TestService = Service & {
  folder: string;
  assembly: string;
  wiretap: Wiretap;
  /** Fails if an answer was outside the contract, or if a secret is where none may be. */
  assertSound(): Promise<void>;
};

/** The services that the files of this process use one after the other, by their configuration; undefined if it runs one file. */
let shared: Map<string, Promise<TestService>> | undefined;

/** From now on the files of this process use one service if they want the same. See `runTogether`. */
export function shareServices() {
  const services = new Map<string, Promise<TestService>>();
  shared = services;
  return {
    /** Ends the fault that a file has left behind, and fails if any service is not sound by then. */
    async assertSound(): Promise<void> {
      for (const starting of services.values()) await (await starting).assertSound();
    },
    async close(): Promise<void> {
      for (const starting of services.values()) await (await starting).close();
    },
  };
}

/**
/**
 * Returns the whole service for one test file. It has a data folder of its own and stops after the file's tests. Files that
 * run in one process share it, unless they want options of their own. The template is the one that the run has made for
 * this configuration. The file fails if an answer is outside the contract (see contract.ts), or if at the end a log, an
 * event, an answer or an item of the table holds a secret (see wiretap.ts).
 *
 * @returns the service, the folders of its data and of what it runs, and what was listened in to
 */
export async function serviceForTests(
  configuration?: Record<string, unknown>,
  options: Options = {},
): Promise<TestService> {
  if (!shared || Object.keys(options).length > 0) return serviceOfItsOwn(configuration, options);
  const key = JSON.stringify(configuration ?? {});
  const running = shared.get(key) ?? start(configuration);
  shared.set(key, running);
  return running;
}

/** Returns a service that this file has for itself, since its tests change what others find: the keys, or the users. */
export async function serviceOfItsOwn(
  configuration?: Record<string, unknown>,
  options?: Options,
): Promise<TestService> {
  const service = await start(configuration, options);
  after(async () => {
    try {
      await service.assertSound();
    } finally {
      await service.close();
    }
  });
  return service;
}

async function start(
  configuration?: Record<string, unknown>,
  { userPool, variables, onLog, onExchange, slowness = 5, ...options }: Options = {},
): Promise<TestService> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-test-'));
  let assembly = await assemblyOf(configuration, folder);
  if (userPool || variables) {
    const altered = join(folder, 'altered');
    cpSync(assembly, altered, { recursive: true });
    alterResources(altered, (resource) => {
      if (userPool) alterUserPool(resource, userPool);
      if (variables) alterFunction(resource, variables);
    });
    assembly = altered;
  }
  const data = join(folder, 'data');
  const wiretap = createWiretap();
  const breaches: string[] = [];
  const service = await startService({
    assembly,
    folder: data,
    port: 0,
    clock: createClock({ slowness }),
    ...options,
    onExchange(exchange) {
      wiretap.onExchange(exchange);
      breaches.push(...breachesIn(exchange));
      onExchange?.(exchange);
    },
    onLog(operation, line) {
      wiretap.onLog(operation, line);
      onLog?.(operation, line);
    },
  });
  wiretap.knowOf(service);
  const close = async () => {
    await service.close();
    rmSync(folder, { recursive: true, force: true });
  };
  const assertSound = async () => {
    service.setFault(undefined);
    assert.deepEqual(breaches, [], 'answers outside functions/contract/');
    assert.deepEqual(await wiretap.leaks(service), [], 'secrets where none may be');
  };
  return { ...service, close, assertSound, folder: data, assembly, wiretap };
}

/** How the API's answer is outside the contract, if it is. */
function breachesIn({ service, operation, status, answer }: Exchange): string[] {
  if (service !== 'execute-api' || operation.startsWith('OPTIONS ')) return [];
  const body = operation.startsWith('HEAD ') ? undefined : answer.body;
  const breach = breachOf(operationOf(operation), { status, headers: answer.headers, body });
  return breach === undefined ? [] : [`${operation}: ${breach}`];
}

/** The assembly of a configuration: one for all files of a run of `npm test` that want the same. */
async function assemblyOf(
  configuration: Record<string, unknown> | undefined,
  folder: string,
): Promise<string> {
  const shared = process.env['COUNTERSIGN_ASSEMBLY'];
  const made = join(folder, 'assembly');
  if (shared && !configuration) return shared;
  if (!shared) {
    await synthesize(made, configuration ?? {});
    return made;
  }
  const name = createHash('sha256').update(JSON.stringify(configuration)).digest('hex').slice(0, 16);
  const kept = `${shared}-${name}`;
  if (!existsSync(kept)) {
    await synthesize(made, configuration ?? {});
    try {
      // Whole or not at all: other files may be at it too.
      renameSync(made, kept);
    } catch {
      return made;
    }
  }
  return kept;
}

function alterResources(assembly: string, alter: (resource: TemplateResource) => void): void {
  for (const file of globSync(join(assembly, '*.template.json'))) {
    const template = JSON.parse(readFileSync(file, 'utf8')) as {
      Resources: Record<string, TemplateResource>;
    };
    for (const resource of Object.values(template.Resources)) alter(resource);
    writeFileSync(file, JSON.stringify(template));
  }
}

function alterUserPool({ Type, Properties }: TemplateResource, properties: Record<string, unknown>): void {
  if (Type === 'AWS::Cognito::UserPool') Object.assign(Properties, properties);
}

function alterFunction(
  { Type, Properties }: TemplateResource,
  variables: NonNullable<Options['variables']>,
): void {
  if (Type !== 'AWS::Lambda::Function') return;
  const [, operation = ''] = /^Countersign: (.+)$/.exec(String(Properties['Description'])) ?? [];
  const environment = Properties['Environment'] as { Variables: Record<string, unknown> };
  const alter = variables[operation];
  if (alter) environment.Variables = alter(environment.Variables);
}
