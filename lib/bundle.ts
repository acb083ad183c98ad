import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { type BuildOptions, buildSync } from 'esbuild';
import { keptBundles, stampOf } from './bundle-stamp.ts';

const root = resolve(import.meta.dirname, '..');
/** The files in functions/ that describe operations and are none themselves. */
const isNoOperation = (name: string) => name === 'routes' || name.startsWith('contract/');

/** One function as it is uploaded: a folder with `index.js`, whose handler is `index.handler`. */
export interface Bundle {
  folder: string;
  bytes: number;
  /** The files it was made of, relative to the project. */
  inputs: string[];
}

/** A file appears whole or not at all, and one with the same bytes is left alone: several may bundle at once. */
function place(path: string, content: Uint8Array | string): void {
  if (existsSync(path) && readFileSync(path).equals(Buffer.from(content))) return;
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, content);
  renameSync(draft, path);
}

/** The operations in `functions/`: `login`, `cognito/define-auth-challenge`. */
function functionNames(): string[] {
  return readdirSync(join(root, 'functions'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -3).replaceAll('\\', '/'))
    .filter((name) => !isNoOperation(name))
    .sort();
}

/**
 * Bundles every function in one pass of esbuild. The same sources give the same bytes, so a pass that would give what is there
 * already is left out.
 *
 * @param into folder that gets a folder for each function; by default `build/functions` of this project
 * @returns the bundles by the name of their operation
 * @throws Error where esbuild finds one in the sources
 */
export function bundleFunctions(into = join(root, 'build/functions')): Record<string, Bundle> {
  const names = functionNames();
  const options = optionsFor(names, into);
  const stamp = `${into}.json`;
  const kept = keptBundles<Bundle>(stamp, root, options);
  if (kept) return kept;

  const { outputFiles, metafile } = buildSync({ ...options, write: false, metafile: true });
  const bundles = Object.fromEntries(
    names.map((name) => {
      const folder = join(into, name);
      const output = metafile.outputs[relative(root, join(folder, 'index.js')).replaceAll('\\', '/')];
      if (!output) throw new Error(`esbuild made no bundle for ${name}.`);
      return [name, { folder, bytes: output.bytes, inputs: Object.keys(output.inputs).sort() }];
    }),
  );
  for (const { path, contents } of outputFiles) {
    place(path, contents);
    // Says that index.js is CommonJS, wherever the folder lies.
    place(join(dirname(path), 'package.json'), '{"type":"commonjs"}\n');
  }
  place(stamp, stampOf(root, Object.keys(metafile.inputs).sort(), bundles, options));
  return bundles;
}

function optionsFor(names: string[], into: string) {
  return {
    absWorkingDir: root,
    entryPoints: names.map((name) => ({ in: `functions/${name}.ts`, out: `${name}/index` })),
    outdir: into,
    bundle: true,
    platform: 'node',
    target: 'node24',
    // CommonJS starts faster: `import 'node:http'` from a module loads undici at once, 40 ms.
    format: 'cjs',
    mainFields: ['module', 'main'],
    // Imported by the SDK only when an operation streams events; none of ours does. 15 KB of every bundle.
    external: ['@smithy/core/event-streams'],
    alias: { '@aws-sdk/credential-provider-node': join(root, 'lib/lambda-credentials.ts') },
    minify: true,
    charset: 'utf8',
    legalComments: 'none',
    sourcemap: false,
    logLevel: 'silent',
  } satisfies BuildOptions;
}
