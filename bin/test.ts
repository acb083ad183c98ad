/**
 * `npm test`: types, lint, then every test, against the service as it would be deployed. `npm test -- PATTERN` runs the
 * test files whose path holds the pattern.
 */
import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { synthesize } from '../local/synth.ts';
import './node-version.mjs';

const root = resolve(import.meta.dirname, '..');
const pattern = process.argv[2] ?? '';
const files = inOrder(
  globSync('{test,packages/*/test}/**/*.test.ts', { cwd: root }).filter((file) => file.includes(pattern)),
).map((file) => join(root, file));
if (files.length === 0) fail(`no test file's path holds "${pattern}"`);

// One synthesis for all the test files that run the service, beside the checks.
const assemblies = mkdtempSync(join(tmpdir(), 'countersign-assemblies-'));
process.once('exit', () => rmSync(assemblies, { recursive: true, force: true }));
const assembly = join(assemblies, 'assembly');
process.env['COUNTERSIGN_ASSEMBLY'] = assembly;
const synthesized = synthesize(assembly, {});
step('types', 'tsc', ['-p', root]);
step('lint', 'biome', ['check', '--error-on-warnings', root]);
await synthesized;

const counted = { passed: 0, failed: 0, skipped: 0 };
// Many files load the same modules, and many wait for time-outs: more at a time than there are cores.
process.env['NODE_COMPILE_CACHE'] ??= join(root, 'node_modules/.cache/node');
// A bound for what hangs, not for what is slow: on a busy machine the long tests of CI take minutes.
const stream = run({ files, concurrency: 4, timeout: 300_000 });
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
  const skipped = counted.skipped > 0 ? `, ${counted.skipped} skipped` : '';
  console.log(`\n${counted.passed} passed, ${counted.failed} failed${skipped}`);
  if (counted.passed === 0) process.exitCode = 1;
});
stream.compose(new spec()).pipe(process.stdout);

/**
 * Those that take longest go first, so that none is left for the end; and of those that wait for time-outs no two go
 * together, so that the others have the cores meanwhile.
 */
function inOrder(all: string[]): string[] {
  const waiting = all
    .filter((file) => /\/(resend|slow|triggers|unattended-slow|faults)\.test/.test(file))
    .sort();
  const isLong = (file: string) => /^test\/(faults|fuzz|model|threats|bin|functions\/cognito)\//.test(file);
  const working = all
    .filter((file) => !waiting.includes(file))
    .sort((a, b) => Number(isLong(b)) - Number(isLong(a)) || (a < b ? -1 : 1));
  const spaced = working.flatMap((file, at) => (at % 4 === 0 ? [...waiting.splice(0, 1), file] : [file]));
  return [...spaced, ...waiting];
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
