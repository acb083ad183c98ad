/**
 * `npm run test:model -- --runs 1000 --seed 1` and `npm run test:fuzz -- --inputs 100000 --seed 1` run the model and the
 * fuzzer for as long as you like. `npm run test:all` runs them for a minute. Each run prints its seed, which repeats it.
 */
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { join, resolve } from 'node:path';
import { runProgram } from './program.ts';

const PROGRAMS = {
  model: { file: 'test/model/model.test.ts', amount: 'runs', standard: 200, prefix: 'MODEL' },
  fuzz: { file: 'test/fuzz/fuzz.test.ts', amount: 'inputs', standard: 100_000, prefix: 'FUZZ' },
} as const;

const [name, ...args] = process.argv.slice(2);
if (name !== 'model' && name !== 'fuzz')
  throw new Error('Run it by npm run test:model or npm run test:fuzz.');
const { file, amount, standard, prefix } = PROGRAMS[name];

const program = {
  name,
  command: `npm run test:${name}`,
  usage: `npm run test:${name} -- [--${amount} N] [--seed S]    (default: ${standard}, and a new seed)\n`,
  args,
  options: {
    [amount]: { type: 'string' as const, default: String(standard) },
    seed: { type: 'string' as const, default: String(randomInt(2 ** 31)) },
  },
};

await runProgram(program, (flags) => {
  for (const [flag, value] of Object.entries(flags)) {
    if (!/^[1-9]\d{0,9}$/.test(String(value))) throw new Error(`--${flag} takes a whole number from 1.`);
  }
  const root = resolve(import.meta.dirname, '..');
  const { status } = spawnSync(process.execPath, ['--test', join(root, file)], {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      [`${prefix}_${amount.toUpperCase()}`]: String(flags[amount]),
      [`${prefix}_SEED`]: String(flags['seed']),
    },
  });
  return status ?? 1;
});
