import { existsSync, globSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');

/** Returns the test files whose path from the root holds the pattern, in order. */
export function filesOf(folder: string, pattern: string): string[] {
  return globSync(['test/**/*.test.ts', 'packages/*/test/**/*.test.ts'], { cwd: folder })
    .filter((file) => !file.includes('node_modules') && file.includes(pattern))
    .sort();
}

/**
 * Returns whether `npm test` runs the file. It runs core, adapters, stacks, the local AWS, one file for each operation and
 * the README's promises. `npm run test:all` also runs everything else.
 */
export function isQuick(file: string): boolean {
  if (/^(test\/(core|adapters|lib|local|docs|mutation)|packages\/[^/]+\/test)\//.test(file)) return true;
  if (file.startsWith('test/functions/')) return isOperation(file);
  return /^test\/[^/]+$/.test(file) && file !== 'test/bounds.test.ts';
}

/** Returns whether this is the one test file of an operation, as test/functions/verify.test.ts is of functions/verify.ts. */
function isOperation(file: string): boolean {
  return existsSync(join(root, 'functions', `${basename(file, '.test.ts')}.ts`));
}
