import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { mutated } from './mutation.ts';
import { mutations } from './mutations.ts';
import { play } from './play.ts';

const root = join(import.meta.dirname, '../..');

test('every mutation finds its line exactly once and changes it', () => {
  for (const mutation of mutations) {
    const source = readFileSync(join(root, mutation.file), 'utf8');
    assert.notEqual(mutated(source, mutation), source);
  }
});

test('no two mutations are the same', () => {
  const named = mutations.map(({ file, find, replace }) => JSON.stringify([file, find, replace]));
  assert.equal(new Set(named).size, named.length);
});

test('the test of a promise kills its mutant, and passes without the mutation', async () => {
  const mutation = mutations.find(({ replace }) => replace === 'byte & 15');
  assert.ok(mutation);
  const batches = [['test/core/backup-codes.test.ts']];
  assert.deepEqual(await play(batches, mutation), {
    killedBy: 'every letter of the alphabet is as likely as any other',
  });
  assert.deepEqual(await play(batches), { survived: true });
});

test('docs/threat-model.md explains each mutation that survives, and no other', () => {
  const page = readFileSync(join(root, 'docs/threat-model.md'), 'utf8');
  const section = page.split('\n## ').find((text) => text.startsWith('Mutations')) ?? assert.fail();
  const told = [...section.matchAll(/^\| `(.*?)`: (.*?) \| (.*?) \|$/gm)].map(([, ...cells]) => cells);
  const surviving = mutations.filter(({ survives }) => survives !== undefined);
  assert.deepEqual(
    told,
    surviving.map(({ file, promise, survives }) => [file, promise, survives]),
  );
});

test('a mutation is refused if its line is missing or not unique', () => {
  const mutation = { file: 'core/x.ts', find: 'step <= lastStep', replace: 'step < lastStep', promise: '' };
  assert.throws(() => mutated('step > lastStep', mutation), /core\/x\.ts contains this 0 times/);
  assert.throws(() => mutated('step <= lastStep; step <= lastStep', mutation), /2 times/);
});
