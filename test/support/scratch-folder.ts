import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';

/** Makes a folder for one test file, inside the checkout but ignored by git. */
export function scratchFolder(name: string): string {
  const build = join(import.meta.dirname, '../../build');
  mkdirSync(build, { recursive: true });
  return mkdtempSync(join(build, `${name}-`));
}
