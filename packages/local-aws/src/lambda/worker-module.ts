import { join } from 'node:path';
import { buildSync } from 'esbuild';

let made: URL | undefined;

/**
 * Bundles worker.ts into one module of plain JavaScript. Otherwise every environment would strip the types again, which is
 * half the cost of starting one.
 */
export function workerModule(): URL {
  made ??= new URL(`data:text/javascript,${encodeURIComponent(bundled())}`);
  return made;
}

function bundled(): string {
  const { outputFiles } = buildSync({
    entryPoints: [join(import.meta.dirname, 'worker.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node24',
  });
  const [module] = outputFiles;
  if (!module) throw new Error('esbuild made no module of worker.ts.');
  return module.text;
}
