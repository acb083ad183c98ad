// Checks docs/threat-model.md against the code and the tests it names.
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const page = read('docs/threat-model.md');

/** The number of the first list's threats. No threat is ever dropped. */
const THREATS = 45;
/** The threats that an audit found. 56 and 57 are reserved for work still to come. */
const FOUND_BY_AUDIT = [46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 58, 59, 60];
/** Threats without a test. Their rows say why. */
const OUT_OF_SCOPE = [35];

interface Row {
  number: number;
  defence: string;
  tests: string[];
}

const rows: Row[] = page
  .split('\n')
  .filter((line) => /^\| \d+ \|/.test(line))
  .map((line) => {
    const cells = line.split('|').map((cell) => cell.trim());
    assert.equal(cells.length, 6, `a row has four cells: ${line}`);
    const [, number, , defence = '', tests = ''] = cells;
    return { number: Number(number), defence, tests: quoted(tests) };
  });

/** Returns the texts in backquotes. */
function quoted(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);
}

/** Returns the names of a file's tests, each written out as a literal. */
function testsIn(path: string): string[] {
  const calls = [...read(path).matchAll(/^test\(\s*(?:'([^'\n]+)'|"([^"\n]+)")/gm)];
  return calls.map(([, single, double]) => single ?? double ?? '');
}

const existing = globSync('test/threats/*.test.ts', { cwd: root }).flatMap(testsIn);

test('each numbered threat has exactly one row, in order', () => {
  assert.deepEqual(
    rows.map(({ number }) => number),
    [...Array.from({ length: THREATS }, (_, index) => index + 1), ...FOUND_BY_AUDIT],
  );
});

test('each test named in the table exists, and each threat in scope names one', () => {
  for (const { number, tests } of rows) {
    for (const name of tests) assert.ok(existing.includes(name), `${number}: no test "${name}"`);
    assert.equal(tests.length === 0, OUT_OF_SCOPE.includes(number), `threat ${number}`);
  }
});

test('each test in test/threats is in the table once, and no two share a name', () => {
  const named = rows.flatMap(({ tests }) => tests);
  assert.deepEqual(named.toSorted(), existing.toSorted());
  assert.equal(new Set(existing).size, existing.length);
});

test('each test in test/threats has a literal name, so that the table can name it', () => {
  for (const path of globSync('test/threats/*.test.ts', { cwd: root })) {
    const calls = read(path).match(/^\s*test(?:\.\w+)?\(/gm) ?? [];
    assert.equal(calls.length, testsIn(path).length, path);
  }
});

test('each defence named in the table is in the code', () => {
  for (const { number, defence } of rows) {
    if (OUT_OF_SCOPE.includes(number)) continue;
    const places = quoted(defence).filter((place) => place.includes(':'));
    assert.ok(places.length > 0, `threat ${number} names no defence`);
    for (const place of places) {
      const [path = '', name = ''] = place.split(':');
      assert.ok(existsSync(join(root, path)), `${number}: no file ${path}`);
      const declared = new RegExp(`\\b(?:function|const|class) ${name}\\b|^\\s+(?:async )?${name}\\(`, 'm');
      assert.match(read(path), declared, `${number}: no ${name} in ${path}`);
    }
  }
});

test('the pages and folders that the page refers to exist', () => {
  for (const [, target = ''] of page.matchAll(/\]\(([\w.-]+)\)/g)) {
    assert.ok(existsSync(join(root, 'docs', target)), target);
  }
  for (const [, path = ''] of page.matchAll(/`(test\/[\w./-]+)`/g)) {
    assert.ok(existsSync(join(root, path)), path);
  }
});

test('each threat that a clause refers to has a row', () => {
  for (const [, list = ''] of page.matchAll(/\bthreats? ([\d, to]+)/g)) {
    for (const number of list.match(/\d+/g) ?? []) {
      assert.ok(
        rows.some((row) => row.number === Number(number)),
        `threat ${number}`,
      );
    }
  }
});
