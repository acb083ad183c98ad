import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, test } from 'node:test';

const root = join(import.meta.dirname, '../..');

async function run(file: string, ...parameters: string[]) {
  const child = spawn(process.execPath, [join(root, 'bin', file), ...parameters], { cwd: root });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (err += chunk));
  const [code] = await once(child, 'close');
  return { code, out, err };
}

/** Each program: its file and first words, what somebody types, and the exit status of a wrong use. */
const programs: [file: string, words: string[], command: string, misuse: number][] = [
  ['local.ts', [], 'npm start', 1],
  ['demo.ts', [], 'npm run demo', 1],
  ['doctor.ts', [], 'npm run doctor', 2],
  ['attach.ts', [], 'npm run attach', 2],
  ['rewrap.ts', [], 'npm run rewrap', 1],
  ['reference.ts', [], 'npm run reference', 1],
  ['mutation.ts', [], 'npm run test:mutation', 1],
  ['on-demand.ts', ['model'], 'npm run test:model', 1],
  ['on-demand.ts', ['fuzz'], 'npm run test:fuzz', 1],
];

describe('--help prints the usage and exits with 0; an unknown flag is one line that names --help', () => {
  for (const [file, words, command, misuse] of programs) {
    test(command, async () => {
      const helped = await run(file, ...words, '--help');
      assert.deepEqual([helped.code, helped.err], [0, '']);
      assert.ok(helped.out.startsWith(command) && helped.out.endsWith('\n'), helped.out);
      const refused = await run(file, ...words, '--nope');
      assert.deepEqual([refused.code, refused.out], [misuse, '']);
      assert.match(refused.err, /^[a-z]+: Unknown option '--nope'\. See [^\n]+ -- --help\n$/);
      assert.ok(refused.err.includes(`See ${command} -- --help`), refused.err);
    });
  }
});
