import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Mutation } from './mutation.ts';

const root = resolve(import.meta.dirname, '../..');

/** Seconds for one batch of tests. A mutant that takes longer hangs, and somebody would see that: it is killed. */
const PATIENCE = 120;

/**
 * The test files that can see a mutation of this file, in batches that each run in one process: its own test first, which
 * kills most, then the others of its layer.
 */
export function batchesFor(file: string): string[][] {
  const own = `test/${dirname(file)}/${basename(file, '.ts')}.test.ts`;
  const batches = file.startsWith('core/')
    ? [testsIn('test/core'), ['test/model/found.test.ts']]
    : // Each by itself: many embedded databases in one process slow each other down.
      testsIn('test/adapters').map((test) => [test]);
  const others = batches.map((batch) => batch.filter((test) => test !== own));
  const first = batches.some((batch) => batch.includes(own)) ? [[own]] : [];
  return [...first, ...others].filter((batch) => batch.length > 0);
}

const isInMemory = (test: string) => test.startsWith('test/core/');

function testsIn(folder: string): string[] {
  return globSync(`${folder}/*.test.ts`, { cwd: root }).sort();
}

/** Every batch there is, for the run without a mutation. */
export function allBatches(): string[][] {
  return ['core/', 'adapters/'].flatMap(batchesFor);
}

/**
 * Runs batch after batch until a test fails: returns its name, or undefined if every test passes. A test beside embedded
 * servers has to fail twice in a row. On a machine under load another one may fail by its time-out, and that says nothing of
 * the mutation.
 */
export async function play(batches: string[][], mutation?: Mutation): Promise<string | undefined> {
  for (const batch of batches) {
    let before: string | undefined;
    for (;;) {
      const killedBy = await firstFailureOf(batch, mutation);
      if (killedBy === undefined) break;
      if (killedBy === before || batch.every(isInMemory)) return killedBy;
      before = killedBy;
    }
  }
  return undefined;
}

/** The first test of these files that fails; undefined if all pass. */
function firstFailureOf(files: string[], mutation: Mutation | undefined): Promise<string | undefined> {
  const here = (name: string) => join(import.meta.dirname, name);
  const flags = ['--test', '--test-isolation=none', `--test-reporter=${here('first-failure.ts')}`];
  const environment = { ...process.env };
  // Set in what the test runner itself starts: it would report to that one.
  delete environment['NODE_TEST_CONTEXT'];
  const child = spawn(process.execPath, [...flags, ...files], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'ignore'],
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
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    name += text;
  });
  return new Promise((settle, fail) => {
    child.once('error', fail);
    child.once('close', (status, signal) => {
      if (signal) settle(`no test: it still ran after ${PATIENCE} s`);
      else settle(status === 0 ? undefined : name || `no test: it does not load (${files.join(', ')})`);
    });
  });
}
