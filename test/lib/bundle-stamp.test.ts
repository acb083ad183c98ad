import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { keptBundles, stampOf } from '../../lib/bundle-stamp.ts';

const root = mkdtempSync(join(tmpdir(), 'countersign-stamp-'));
after(() => rmSync(root, { recursive: true, force: true }));
const folder = join(root, 'out/login');
const files: Record<string, string> = {
  'package-lock.json': '{}',
  'source.ts': 'export const a = 1;',
  'out/login/index.js': 'exports.a=1',
};
const stamp = join(root, 'out.json');

function write(changes: Record<string, string> = {}): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries({ ...files, ...changes }))
    writeFileSync(join(root, name), content);
}

const kept = (asked: unknown = 'asked') => keptBundles(stamp, root, asked);

test('bundling is skipped only if no byte has changed', () => {
  write();
  assert.equal(kept(), undefined);
  const bundles = { login: { folder, bytes: 11 } };
  writeFileSync(stamp, stampOf(root, ['source.ts'], bundles, 'asked'));
  assert.deepEqual(kept(), bundles);
  assert.equal(kept('something else'), undefined);
  for (const name of Object.keys(files)) {
    write({ [name]: `${files[name]} ` });
    assert.equal(kept(), undefined, name);
    rmSync(join(root, name));
    assert.equal(kept(), undefined, `${name} is missing`);
  }
  write();
  assert.deepEqual(kept(), bundles);
});
