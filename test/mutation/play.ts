import { spawn } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Mutation } from './mutation.ts';

const root = resolve(import.meta.dirname, '../..');

/** Seconds for one batch of tests. A mutant that takes longer hangs, and somebody would see that: it is killed. */
const PATIENCE = 300;

/**
 * The test files that can see this file, in batches that each run in one process: its own test first, which kills most, then
 * the others of its layer that import it, by whatever way.
 */
export function batchesFor(file: string): string[][] {
  const own = `test/${dirname(file)}/${basename(file, '.ts')}.test.ts`;
  const visible = (test: string) => test !== own && importsOf(test).has(file);
  return [...(existsSync(join(root, own)) ? [[own]] : []), ...batchesOf(file, visible)];
}

/** Every batch of the layer that this file is in. */
export function batchesOf(file: string, chosen = (_test: string) => true): string[][] {
  const batches = file.startsWith('core/')
    ? [testsIn('test/core'), ['test/model/found.test.ts']]
    : // Each by itself: many embedded databases in one process slow each other down.
      testsIn('test/adapters').map((test) => [test]);
  return batches.map((batch) => batch.filter(chosen)).filter((batch) => batch.length > 0);
}

function testsIn(folder: string): string[] {
  return globSync(`${folder}/**/*.test.ts`, { cwd: root }).sort();
}

/** The files of this project that a file imports, directly or by others; itself too. */
function importsOf(path: string, found = new Set<string>()): Set<string> {
  if (found.has(path)) return found;
  found.add(path);
  const source = readFileSync(join(root, path), 'utf8');
  for (const [, specifier = ''] of source.matchAll(/\bfrom '(\.[^']+)'/g)) {
    importsOf(join(dirname(path), specifier), found);
  }
  return found;
}

/** Tests without embedded servers, and so without time-outs: on a machine under load they pass as well. */
const isInMemory = (test: string) => test.startsWith('test/core/');

/** Times a batch is played until its failure is known to be the mutation's. */
const MOST_PLAYS = 4;

/** Survived, killed by a test, or undecided: on a machine under load some test fails with the mutation and without it. */
export type Outcome = { survived: true } | { killedBy: string } | { undecided: string };

/** Runs batch after batch until a test fails by the mutation, or, without one, until any test fails. */
export async function play(batches: string[][], mutation?: Mutation): Promise<Outcome> {
  for (const batch of batches) {
    const outcome = await playBatch(batch, mutation);
    if (!('survived' in outcome)) return outcome;
  }
  return { survived: true };
}

/**
 * A test beside embedded servers may fail by its time-out. So it kills only if, by itself, it passes without the mutation and
 * fails with it again.
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
 * The first test of these files that fails; undefined if all pass.
 *
 * @param only the names of the tests to run; all if there are none
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
  // Set in what the test runner itself starts: it would report to that one.
  delete environment['NODE_TEST_CONTEXT'];
  const child = spawn(process.execPath, [...flags, ...names, ...files], {
    cwd: root,
    // What the reporter says comes by the last one: first-failure.ts.
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    env: {
      ...environment,
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(root, 'node_modules/.cache/node'),
      // Not as a flag: programs that a test starts are to be mutated too.
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
