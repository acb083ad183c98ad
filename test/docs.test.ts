import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { endpointsPage, errorsPage } from '../bin/reference/pages.ts';
import { gatewayErrors, operationErrors } from '../functions/contract/errors.ts';
import { routes } from '../functions/routes.ts';
import { readConfig } from '../lib/config.ts';

const root = join(import.meta.dirname, '..');
const page = (path: string) => readFileSync(join(root, path), 'utf8');
/** The cells of every table row that starts with a name in backquotes: name → the second cell. */
const rows = (text: string) =>
  new Map([...text.matchAll(/^\| `([\w.]+)` \| (.*?) \|/gm)].map(([, name = '', cell = '']) => [name, cell]));

test('docs/errors.md and docs/endpoints.md are what the contract says: if not, run npm run reference', () => {
  assert.equal(errorsPage(page('docs/errors.md')), page('docs/errors.md'));
  assert.equal(endpointsPage(), page('docs/endpoints.md'));
});

test('docs/errors.md lists exactly the codes there are, with their status', () => {
  const documented = rows(page('docs/errors.md'));
  const real = Object.entries({ ...operationErrors, ...gatewayErrors });
  assert.deepEqual([...documented].sort(), real.map(([code, { status }]) => [code, String(status)]).sort());
});

test('no code is in both tables', () => {
  assert.deepEqual(
    Object.keys(gatewayErrors).filter((code) => code in operationErrors),
    [],
  );
});

test("the README's table lists every setting, with the default it really has", () => {
  const documented = rows(page('README.md'));
  const groups = new Set(['totp', 'limits', 'lifetimes']);
  for (const [name, value] of Object.entries(readConfig(undefined))) {
    const settings = groups.has(name)
      ? Object.entries(value as object).map(([inner, standard]) => [`${name}.${inner}`, standard] as const)
      : [[name, value] as const];
    for (const [setting, standard] of settings) {
      const cell = documented.get(setting) ?? documented.get(`${setting}.origins`);
      assert.ok(cell, `${setting} is not in the README`);
      if (typeof standard !== 'object') assert.equal(cell, `\`${standard}\``, setting);
    }
  }
});

test('the README shows every operation with its path', () => {
  const text = page('README.md');
  for (const [operation, { path }] of Object.entries(routes)) {
    assert.match(text, new RegExp(`\\b${operation}\\b`), operation);
    assert.ok(text.includes(path.replace('{userId}', '$SUB')), path);
  }
});
