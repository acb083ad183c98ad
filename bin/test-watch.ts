/** `npm run test:watch -- PATTERN`: runs the test files whose path holds the pattern, and again as they or their imports change. */
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { filesOf } from './test-files.ts';

const root = resolve(import.meta.dirname, '..');
const [pattern] = process.argv.slice(2);
const files = pattern === undefined ? [] : filesOf(root, pattern);
if (files.length === 0) {
  console.error('npm run test:watch -- PATTERN, where the path of a test file holds the pattern.');
  process.exit(1);
}
const paths = files.map((file) => join(root, file));
const { status } = spawnSync(process.execPath, ['--test', '--watch', ...paths], {
  cwd: root,
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
