// Plain JavaScript, for `node --import`: the Node.js that it refuses may not be able to read TypeScript.
import { readFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const pinned = manifest.devDependencies.node.split('.')[0];
if (process.versions.node.split('.')[0] !== pinned) {
  console.error(
    `This needs Node.js ${pinned}, the version Lambda runs; this is ${process.version}. "npm ci" installs it into node_modules, where npm's scripts find it, unless install scripts are off: "npm rebuild node" makes up for that.`,
  );
  process.exit(1);
}
