import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A folder inside the checkout that git does not see, made for one test file. */
export function scratchFolder(name: string): string {
  const build = join(import.meta.dirname, '../build');
  mkdirSync(build, { recursive: true });
  return mkdtempSync(join(build, `${name}-`));
}

/**
 * Writes a cloud assembly by hand.
 *
 * @param templates by stack name
 * @param bundles the source of each asset's index.js, by its hash
 */
export function writeAssembly(
  folder: string,
  templates: Record<string, object>,
  bundles: Record<string, string> = {},
): string {
  const write = (file: string, content: unknown) =>
    writeFileSync(join(folder, file), typeof content === 'string' ? content : JSON.stringify(content));
  mkdirSync(folder, { recursive: true });
  const artifacts: Record<string, object> = {
    assets: { type: 'cdk:asset-manifest', properties: { file: 'assets.json' } },
  };
  for (const [name, template] of Object.entries(templates)) {
    artifacts[name] = { type: 'aws:cloudformation:stack', properties: { templateFile: `${name}.json` } };
    write(`${name}.json`, template);
  }
  const files: Record<string, object> = {};
  for (const [hash, source] of Object.entries(bundles)) {
    files[hash] = { source: { path: `asset.${hash}`, packaging: 'zip' } };
    mkdirSync(join(folder, `asset.${hash}`), { recursive: true });
    write(`asset.${hash}/index.js`, source);
  }
  write('assets.json', { files });
  write('manifest.json', { artifacts });
  return folder;
}
