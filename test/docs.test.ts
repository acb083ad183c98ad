import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { problems } from '../adapters/problem.ts';
import { routes } from '../functions/routes.ts';
import { readConfig } from '../lib/config.ts';
import { gatewayAnswers } from '../lib/gateway-responses.ts';

const root = join(import.meta.dirname, '..');
const page = (path: string) => readFileSync(join(root, path), 'utf8');
/** The cells of every table row that starts with a name in backquotes: name → the second cell. */
const rows = (text: string) =>
  new Map([...text.matchAll(/^\| `([\w.]+)` \| (.*?) \|/gm)].map(([, name = '', cell = '']) => [name, cell]));

test('docs/errors.md lists exactly the codes there are, with their status', () => {
  const documented = rows(page('docs/errors.md'));
  const real = new Map<string, string>();
  for (const { code, status } of gatewayAnswers) real.set(code, String(status));
  for (const [code, { status }] of Object.entries(problems)) real.set(code, String(status));
  assert.deepEqual([...documented].sort(), [...real].sort());
});

test('a code that API Gateway and a function share has one status and one title', () => {
  for (const { code, status, title } of gatewayAnswers) {
    const own = Object.entries(problems).find(([name]) => name === code)?.[1];
    if (own) assert.deepEqual({ status, title }, own, code);
  }
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
