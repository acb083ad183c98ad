/**
 * `npm run test:model -- --runs 1000 --seed 1` and `npm run test:fuzz -- --inputs 100000 --seed 1`: what `npm test` does
 * for some seconds, for as long as you like. Without a seed, a new one; it is printed, and with it the same is made again.
 */
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const PROGRAMS = {
  model: { file: 'test/model/model.test.ts', amount: 'runs', standard: 200, prefix: 'MODEL' },
  fuzz: { file: 'test/fuzz/fuzz.test.ts', amount: 'inputs', standard: 100_000, prefix: 'FUZZ' },
} as const;

const [name, ...parameters] = process.argv.slice(2);
if (name !== 'model' && name !== 'fuzz') fail('Run it by npm run test:model or npm run test:fuzz.');
const { file, amount, standard, prefix } = PROGRAMS[name];
const { given, seed } = readFlags();

const root = resolve(import.meta.dirname, '..');
const { status } = spawnSync(process.execPath, ['--test', join(root, file)], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, [`${prefix}_${amount.toUpperCase()}`]: given, [`${prefix}_SEED`]: seed },
});
process.exitCode = status ?? 1;

function readFlags(): { given: string; seed: string } {
  try {
    const { values } = parseArgs({
      args: parameters,
      options: {
        [amount]: { type: 'string', default: String(standard) },
        seed: { type: 'string', default: String(randomInt(2 ** 31)) },
      },
    });
    for (const [flag, value] of Object.entries(values)) {
      if (!/^[1-9]\d{0,9}$/.test(String(value))) fail(`--${flag} takes a whole number from 1.`);
    }
    return { given: String(values[amount]), seed: String(values['seed']) };
  } catch {
    return fail(`npm run test:${name} -- [--${amount} N] [--seed S]`);
  }
}

function fail(sentence: string): never {
  console.error(sentence);
  process.exit(1);
}
