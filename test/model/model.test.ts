import { test } from 'node:test';
import fc from 'fast-check';
import { startAws } from '../support/aws.ts';
import { createInProcess } from './in-process.ts';
import { sequences } from './moves.ts';
import { play } from './play.ts';
import { standard, tight } from './rules.ts';

const seed = Number(process.env['MODEL_SEED'] ?? 20260101);
const runs = Number(process.env['MODEL_RUNS'] ?? 40);
console.log(`seed ${seed}, ${runs} runs`);

const aws = await startAws();

for (const [limits, rules] of Object.entries({ standard, tight })) {
  const driver = await createInProcess(aws, rules);
  const check = (together: number) =>
    fc.assert(
      fc.asyncProperty(sequences(together), (sequence) => play(sequence, driver)),
      { seed, numRuns: runs },
    );
  test(`with ${limits} limits, one at a time: every answer and state is the model's`, () => check(1));
  test(`with ${limits} limits, up to four at once: some order explains every answer and state`, () =>
    check(4));
}
