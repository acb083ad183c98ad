import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Ends the program, with a sentence saying why, on any Node.js but the major version that is pinned. */
export function refuseOtherNode(): void {
  const manifest = readFileSync(join(import.meta.dirname, '../package.json'), 'utf8');
  const { devDependencies } = JSON.parse(manifest) as { devDependencies: { node: string } };
  const pinned = devDependencies.node.split('.')[0];
  if (process.versions.node.split('.')[0] === pinned) return;
  console.error(
    `This needs Node.js ${pinned}, the version Lambda runs; this is ${process.version}. "npm ci" installs it into node_modules and "npm start" uses it, unless install scripts are off: "npm rebuild node" then makes up for it.`,
  );
  process.exit(1);
}
