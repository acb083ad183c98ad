import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..');
const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};
const files = globSync('{src,testing,test}/**/*.ts', { cwd: root });

/** The specifiers of all imports in a file. */
function importsOf(file: string): string[] {
  const source = readFileSync(join(root, file), 'utf8');
  const found = source.matchAll(/(?:^import |^(?:import|export) [^']*?from |\bimport\()'([^'\n]+)'/gm);
  return [...found].map(([, specifier = '']) => specifier);
}

const isRelative = (specifier: string) => specifier.startsWith('.');
const packageOf = (specifier: string) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

test('the package imports its own files, Node.js and its own dependencies only', () => {
  assert.ok(files.length > 80);
  for (const file of files) {
    const all = { ...dependencies, ...(file.startsWith('src/') ? {} : devDependencies) };
    for (const specifier of importsOf(file)) {
      if (specifier.startsWith('node:')) continue;
      if (isRelative(specifier)) {
        const target = relative(root, resolve(root, file, '..', specifier));
        assert.ok(files.includes(target), `${file} imports ${specifier}`);
      } else {
        assert.match(all[packageOf(specifier)] ?? '', /^\d+\.\d+\.\d+$/, `${file} imports ${specifier}`);
      }
    }
  }
});

test('the sources import no tests', () => {
  for (const file of files.filter((name) => name.startsWith('src/'))) {
    for (const specifier of importsOf(file).filter(isRelative)) {
      assert.ok(resolve(root, file, '..', specifier).startsWith(join(root, 'src/')), `${file}: ${specifier}`);
    }
  }
});

test('no sources import each other in a circle', () => {
  const done = new Set<string>();
  const visit = (file: string, path: string[]): void => {
    assert.ok(!path.includes(file), [...path.slice(path.indexOf(file)), file].join(' → '));
    if (done.has(file)) return;
    for (const specifier of importsOf(file).filter(isRelative)) {
      visit(relative(root, resolve(root, file, '..', specifier)), [...path, file]);
    }
    done.add(file);
  };
  for (const file of files) visit(file, []);
});
