import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The inputs and outputs of one pass of esbuild, kept beside its output. */
interface Stamp<B> {
  key: string;
  inputs: string[];
  bundles: Record<string, B>;
}

/**
 * The bundles of the last pass, if every byte that went into it is the same today: its inputs, what decides on their packages
 * (the lock file), what was asked of esbuild, and what was written.
 */
export function keptBundles<B extends { folder: string; bytes: number }>(
  path: string,
  root: string,
  asked: unknown,
): Record<string, B> | undefined {
  if (!existsSync(path)) return undefined;
  const { key, inputs, bundles } = JSON.parse(readFileSync(path, 'utf8')) as Stamp<B>;
  const outputs = Object.values(bundles).map(({ folder }) => join(folder, 'index.js'));
  const today = keyOf(root, inputs, outputs, asked);
  return today !== undefined && today === key ? bundles : undefined;
}

export function stampOf<B extends { folder: string }>(
  root: string,
  inputs: string[],
  bundles: Record<string, B>,
  asked: unknown,
): string {
  const outputs = Object.values(bundles).map(({ folder }) => join(folder, 'index.js'));
  return JSON.stringify({ key: keyOf(root, inputs, outputs, asked), inputs, bundles });
}

/** Undefined, and so never the same, where anything is missing. */
function keyOf(root: string, inputs: string[], outputs: string[], asked: unknown): string | undefined {
  const hash = createHash('sha256').update(JSON.stringify(asked));
  for (const file of [
    ...inputs.map((input) => join(root, input)),
    ...outputs,
    join(root, 'package-lock.json'),
  ]) {
    if (!existsSync(file)) return undefined;
    const content = readFileSync(file);
    hash.update(`${file}:${content.length}:`).update(content);
  }
  return hash.digest('hex');
}
