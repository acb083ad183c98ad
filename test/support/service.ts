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
import type { Exchange } from '@countersign/local-aws/context';
import { type Service, type ServiceOptions, startService } from '../../local/service.ts';
import { synthesize } from '../../local/synth.ts';
import { breachOf, operationOf } from './contract.ts';
import { thorough } from './thorough.ts';
import { createWiretap, type Wiretap } from './wiretap.ts';

interface Options extends Pick<ServiceOptions, 'environments' | 'onLog' | 'onExchange'> {
  /** Properties of the user pool that somebody has set otherwise than the template. */
  userPool?: Record<string, unknown>;
  /** Sets the environment of functions otherwise than the template, as by hand: by the name of the operation. */
  variables?: Record<string, (given: Record<string, unknown>) => Record<string, unknown>>;
}

interface TemplateResource {
  Type: string;
  Properties: Record<string, unknown>;
}

/**
 * The whole service for one test file, with a data folder of its own, stopped when the file's tests have run. The
 * template is the one `npm test` has made, or a new one for a configuration of the test's own. Whatever the tests are
 * about, the file fails if an answer is outside the contract (see contract.ts), or if at the end a log, an event, an answer or an item
 * of the table holds a secret (see wiretap.ts).
 *
 * @returns the service, the folders of its data and of what it runs, and what was listened in to
 */
export async function serviceForTests(
  configuration?: Record<string, unknown>,
  { userPool, variables, onLog, onExchange, ...options }: Options = {},
): Promise<Service & { folder: string; assembly: string; wiretap: Wiretap }> {
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
    // As many as `npm start` has, in CI; each is a container to start.
    environments: thorough ? 4 : 2,
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
  after(async () => {
    service.setFault(undefined);
    try {
      assert.deepEqual(breaches, [], 'answers outside functions/contract/');
      assert.deepEqual(await wiretap.leaks(service), [], 'secrets where none may be');
    } finally {
      await service.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
  return { ...service, folder: data, assembly, wiretap };
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
