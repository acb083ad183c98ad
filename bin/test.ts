/**
 * `npm test`: types, lint, then the tests that a change has to pass at once. `npm run test:all` runs every test, the faults,
 * the threats, the model, the fuzzer and the programs too. `npm test -- PATTERN` runs the files whose path holds the pattern.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { parseArgs } from 'node:util';
import { synthesize } from '../local/synth.ts';
import { filesOf, isQuick } from './test-files.ts';
import { lanesOf } from './test-lanes.ts';
import './node-version.mjs';

const root = resolve(import.meta.dirname, '..');
const { values, positionals } = parseArgs({
  options: { all: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const [pattern] = positionals;
const matching = filesOf(root, pattern ?? '');
const files = values.all || pattern !== undefined ? matching : matching.filter(isQuick);
if (files.length === 0) fail(`no test file's path holds "${pattern}"`);

// One synthesis for all the test files that run the service, beside the checks.
const scratch = mkdtempSync(join(tmpdir(), 'countersign-tests-'));
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));
const assembly = join(scratch, 'assembly');
process.env['COUNTERSIGN_ASSEMBLY'] = assembly;
const synthesized = synthesize(assembly, {});
step('types', 'tsc', ['-p', root]);
step('lint', 'biome', ['check', '--error-on-warnings', root]);
await synthesized;

const counted = { passed: 0, failed: 0, skipped: 0 };
process.env['NODE_COMPILE_CACHE'] ??= join(root, 'node_modules/.cache/node');
const stream = run({
  files: lanesOf(files).map(startOf),
  // Some wait for time-outs: more at a time than there are cores.
  concurrency: 4,
  // A bound for what hangs, not for what is slow.
  timeout: 900_000,
});
stream.on('test:pass', (test) => {
  if (test.details.type === 'suite') return;
  if (test.skip || test.todo) counted.skipped++;
  else counted.passed++;
});
stream.on('test:fail', (test) => {
  if (test.todo) {
    counted.skipped++;
    return;
  }
  // A suite that fails by its tests is not counted beside them; one that fails by itself is.
  const { type, error } = test.details;
  const byItsTests = type === 'suite' && 'failureType' in error && error.failureType === 'subtestsFailed';
  if (!byItsTests) counted.failed++;
  process.exitCode = 1;
});
stream.once('end', () => {
  const left = matching.length - files.length;
  if (left > 0) console.log(`\nnpm run test:all runs ${left} more files: ${foldersLeft()}.`);
  const skipped = counted.skipped > 0 ? `, ${counted.skipped} skipped` : '';
  console.log(`\n${counted.passed} passed, ${counted.failed} failed${skipped}`);
  if (counted.passed === 0) process.exitCode = 1;
});
stream.compose(new spec()).pipe(process.stdout);

/** The file that the test runner starts for a lane: its only one, or one that runs them all. */
function startOf(lane: string[], index: number): string {
  const [only = '', ...others] = lane.map((file) => join(root, file));
  if (others.length === 0) return only;
  const start = join(scratch, `lane-${index + 1}.test.mjs`);
  const together = JSON.stringify(join(root, 'test/support/together.ts'));
  const paths = JSON.stringify([only, ...others]);
  writeFileSync(start, `import { runTogether } from ${together};\nawait runTogether(${paths});\n`);
  return start;
}

/** As in `test/faults, test/threats`. */
function foldersLeft(): string {
  const folders = matching
    .filter((file) => !isQuick(file))
    .map((file) => file.split('/').slice(0, 2).join('/'));
  return [...new Set(folders)].sort().join(', ');
}

function step(name: string, program: string, parameters: string[]): void {
  const bin = join(root, 'node_modules/.bin', program);
  const { status, stdout, stderr } = spawnSync(bin, parameters, { cwd: root, encoding: 'utf8' });
  if (status === 0) {
    console.log(`✔ ${name}`);
    return;
  }
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  fail(`${name}: see above`);
}

function fail(sentence: string): never {
  console.error(`✖ ${sentence}`);
  console.log('\n0 passed, 1 failed');
  process.exit(1);
}
