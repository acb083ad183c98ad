import { spawn } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Mutation } from './mutation.ts';

const root = resolve(import.meta.dirname, '../..');

/**
 * Seconds for one batch of tests. A mutant that takes longer hangs. Somebody would notice that, so it counts
 * as killed.
 */
const PATIENCE = 300;

/**
 * Returns the test files that import this file, in batches. Each batch runs in one process. The file's own
 * test comes first, because it kills most mutants. The other tests of its layer that import it, directly or
 * indirectly, follow.
 */
export function batchesFor(file: string): string[][] {
  const own = `test/${dirname(file)}/${basename(file, '.ts')}.test.ts`;
  const visible = (test: string) => test !== own && importsOf(test).has(file);
  return [...(existsSync(join(root, own)) ? [[own]] : []), ...batchesOf(file, visible)];
}

/** Returns every batch of this file's layer. */
export function batchesOf(file: string, chosen = (_test: string) => true): string[][] {
  const batches = file.startsWith('core/')
    ? [testsIn('test/core'), ['test/model/found.test.ts']]
    : // One file a batch, because many embedded databases in one process slow each other down.
      [...testsIn('test/adapters'), ...testsIn('test/bin/rewrap')].map((test) => [test]);
  return batches.map((batch) => batch.filter(chosen)).filter((batch) => batch.length > 0);
}

function testsIn(folder: string): string[] {
  return globSync(`${folder}/**/*.test.ts`, { cwd: root }).sort();
}

/** Returns the project's files that a file imports, directly or indirectly, and the file itself. */
function importsOf(path: string, found = new Set<string>()): Set<string> {
  if (found.has(path)) return found;
  found.add(path);
  const source = readFileSync(join(root, path), 'utf8');
  for (const [, specifier = ''] of source.matchAll(/\bfrom '(\.[^']+)'/g)) {
    importsOf(join(dirname(path), specifier), found);
  }
  return found;
}

/**
 * Whether a test uses no embedded server. Such a test has no time-outs, so it passes on a machine under load
 * too.
 */
const isInMemory = (test: string) => test.startsWith('test/core/');

/** How often a batch runs, at most, to establish that its failure comes from the mutation. */
const MOST_PLAYS = 4;

/**
 * Survived, killed by a test, or undecided. Undecided: under load, a test fails with the mutation and without
 * it.
 */
export type Outcome = { survived: true } | { killedBy: string } | { undecided: string };

/**
 * Runs one batch after another until the mutation makes a test fail. Without a mutation, any failure ends it.
 */
export async function play(batches: string[][], mutation?: Mutation): Promise<Outcome> {
  for (const batch of batches) {
    const outcome = await playBatch(batch, mutation);
    if (!('survived' in outcome)) return outcome;
  }
  return { survived: true };
}

/**
 * Runs one batch. A test with embedded servers may fail because of its time-out. It therefore kills a mutant
 * only if it, run alone, passes without the mutation and fails again with it.
 */
async function playBatch(batch: string[], mutation: Mutation | undefined): Promise<Outcome> {
  let failing = '';
  for (let plays = 0; plays < MOST_PLAYS; plays++) {
    const killedBy = await firstFailureOf(batch, mutation);
    if (killedBy === undefined) return { survived: true };
    if (batch.every(isInMemory)) return { killedBy };
    failing = killedBy;
    const only = [failing];
    const withoutIt = mutation && (await firstFailureOf(batch, undefined, only));
    if (mutation && withoutIt === undefined && (await firstFailureOf(batch, mutation, only)))
      return { killedBy };
  }
  return { undecided: failing };
}

/**
 * Returns the name of the first failing test of these files, or undefined if all pass.
 *
 * @param only the names of the tests to run. @default all of them
 */
function firstFailureOf(
  files: string[],
  mutation: Mutation | undefined,
  only: string[] = [],
): Promise<string | undefined> {
  const here = (name: string) => join(import.meta.dirname, name);
  const flags = ['--test', '--test-isolation=none', `--test-reporter=${here('first-failure.ts')}`];
  const names = only.map((name) => `--test-name-pattern=^${name.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')}$`);
  const environment = { ...process.env };
  // The test runner sets this in its children. The new run would report to that runner.
  delete environment['NODE_TEST_CONTEXT'];
  const child = spawn(process.execPath, [...flags, ...names, ...files], {
    cwd: root,
    // The reporter (first-failure.ts) writes to the last one.
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    env: {
      ...environment,
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(root, 'node_modules/.cache/node'),
      // In the environment, because programs that a test starts must load the mutant too.
      NODE_OPTIONS: `--import ${JSON.stringify(here('mutant.ts'))}`,
      ...(mutation && { MUTATION: JSON.stringify(mutation) }),
    },
    timeout: PATIENCE * 1000,
    killSignal: 'SIGKILL',
  });
  let name = '';
  child.stdio[3]?.on('data', (text: Buffer) => {
    name += text.toString();
  });
  return new Promise((settle, fail) => {
    child.once('error', fail);
    child.once('close', (status, signal) => {
      if (signal) settle(`no test: it still ran after ${PATIENCE} s`);
      else settle(status === 0 ? undefined : name || `no test: it does not load (${files.join(', ')})`);
    });
  });
}
