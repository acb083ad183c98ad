/**
 * Compares random sequences of all operations with the model of model.ts. Most run in this process: enough
 * run there to reach rare cases, and the driver chooses and repeats the order of concurrent calls. Some run
 * over HTTP, through every other layer too. `npm run test:model -- --runs 1000` runs more of them.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { startAws } from '../support/aws.ts';
import { unthrottled } from '../support/plans.ts';
import { serviceForTests } from '../support/service.ts';
import { createInProcess } from './in-process.ts';
import { sequences } from './moves.ts';
import { createOverHttp } from './over-http.ts';
import { type Driver, type Met, play } from './play.ts';
import { settingsOf, standard, stopping, tight, tightAsDeployed } from './rules.ts';

const runs = Number(process.env['MODEL_RUNS'] ?? 10);
const seed = Number(process.env['MODEL_SEED'] ?? 20_260_101);
console.log(`model: seed ${seed}, ${runs} sequences a test, a fifth of it over HTTP`);

const met: Met = new Map();
const check = (driver: Driver, together: number, numRuns: number) =>
  fc.assert(
    fc.asyncProperty(sequences(together), (sequence) => play(sequence, driver, met)),
    // Limits the time for shrinking a failure. A run that the limit cuts short counts as failed.
    {
      seed,
      numRuns,
      ...(numRuns < 100 && { interruptAfterTimeLimit: 100_000, markInterruptAsFailure: true }),
    },
  );

const aws = await startAws();
for (const [limits, rules] of Object.entries({ standard, tight, stopping })) {
  const driver = await createInProcess(aws, rules);
  test(`${limits} limits, one call at a time: every answer and state matches the model`, () =>
    check(driver, 1, Math.ceil(runs / 2)));
  test(`${limits} limits, up to four concurrent calls: some order explains every answer and state`, () =>
    check(driver, 4, runs));
}

test('over HTTP, up to four at once: some order explains every answer and state', async () => {
  const service = await serviceForTests(
    { ...settingsOf(tightAsDeployed), ...unthrottled },
    { environments: 2 },
  );
  await check(createOverHttp(service, tightAsDeployed), 4, Math.ceil(runs / 5));
});

after(() => {
  const calls = [...met.values()].reduce((sum, count) => sum + count, 0);
  console.log(`model: ${calls} calls, ${met.size} different answers`);
});

// Some answers are so rare that they need the full number of runs.
if (runs >= 10) {
  test('the sequences reach every important answer', () => {
    for (const answer of [
      'login ok',
      'verify-login ok',
      'verify-login code_rejected',
      'verify-login challenge_invalid',
      'refresh ok',
      'refresh refresh_token_invalid',
      'enroll ok',
      'enroll conflict',
      'confirm ok',
      'verify ok',
      'verify too_many_attempts',
      'verify factor_stopped',
      'verify token_invalid',
      'disable ok',
      'rotate-backup-codes ok',
      'admin-reset ok',
      'admin-unlock ok',
      'admin-revoke-sessions ok',
    ]) {
      assert.ok(met.has(answer), `no sequence reached ${answer}`);
    }
  });
}
