// Every operation while a dependency hangs or is slow: a clear answer in time, and nothing happens after it.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { requestTimeouts } from '../../adapters/aws.ts';
import { assertProblem } from '../support/client.ts';
import { serviceForTests } from '../support/service.ts';
import { CONFIGURATION, castsOf } from './operations.ts';
import { type Plan, type Run, stageOf } from './play.ts';

/** An attempt ends after this, on a machine so much slower: nothing but what hangs takes so long. In milliseconds. */
const SLOWNESS = 4;
const ATTEMPT = requestTimeouts.requestHandler.requestTimeout * SLOWNESS;

const service = await serviceForTests(CONFIGURATION, { slowness: SLOWNESS });
const { right: rightCast, wrong: wrongCast } = castsOf(service, new Set());
const right = await prepared(rightCast);
const wrong = await prepared({
  verify: wrongCast.verify ?? assert.fail(),
  'verify-login': wrongCast['verify-login'] ?? assert.fail(),
  disable: wrongCast.disable ?? assert.fail(),
  'rotate-backup-codes': wrongCast['rotate-backup-codes'] ?? assert.fail(),
  confirm: wrongCast.confirm ?? assert.fail(),
});
after(() => {
  for (const { stage } of [right, wrong]) stage.close();
});

/** A cast, what each of it does without a fault, and containers that have started. */
async function prepared(cast: Parameters<typeof stageOf>[1]) {
  const stage = await stageOf(service, cast);
  const plans = Object.fromEntries(stage.names.map((name) => [name, undefined]));
  await stage.run(plans);
  stage.forgetKeys();
  return { stage, clean: (await stage.run(plans)).runs };
}

const lastWriteOf = ({ asked }: Run) => asked.lastIndexOf('dynamodb:UpdateItem') + 1;

const KINDS = ['GetItem', 'Decrypt', 'UpdateItem', 'AdminInitiateAuth', 'AdminUserGlobalSignOut'];

test('whatever hangs, every operation answers in time, changes nothing, and the user goes on', async (t) => {
  const { stage, clean } = right;
  const kindsOf = (name: string) =>
    KINDS.filter((kind) => clean[name]?.asked.some((asked) => asked.endsWith(`:${kind}`)));
  // Each operation meets its kinds of call one after the other, all operations at once.
  for (let round = 0; ; round++) {
    const concerned = stage.names.flatMap((name) => {
      const kind = kindsOf(name)[round];
      return kind === undefined ? [] : [{ name, kind }];
    });
    if (concerned.length === 0) break;
    const plans = concerned.map(({ name, kind }): [string, Plan] => [
      name,
      (call) => (call.name.endsWith(`:${kind}`) ? 'hang' : undefined),
    ]);
    const { runs } = await stage.run(Object.fromEntries(plans), () => stage.forgetKeys());
    for (const { name, kind } of concerned) {
      const [run, cleanRun] = [runs[name] ?? assert.fail(), clean[name] ?? assert.fail()];
      t.diagnostic(`${name}, ${kind} hangs: ${run.answer.status} after ${Math.round(run.took)} ms`);
      const index = cleanRun.asked.findIndex((asked) => asked.endsWith(`:${kind}`));
      // An operation that takes longer than Lambda gives it is a 502: so these have ended in time, after two attempts.
      const attempts = run.asked.filter((asked) => asked.endsWith(`:${kind}`)).length;
      assert.equal(attempts, 2, `${name}, ${kind}: ${attempts} attempts`);
      const done = lastWriteOf(cleanRun) > 0 && index + 1 > lastWriteOf(cleanRun);
      assert.deepEqual(run.changes, done ? cleanRun.changes : {}, `${name}, ${kind}`);
      if (run.answer.status === 503 || !done) {
        assertProblem(run.answer, 503, 'temporarily_unavailable');
        assert.equal(run.answer.headers.get('retry-after'), '1');
      } else {
        assert.equal(run.answer.body['cognitoSessionsEnded'], false);
      }
    }
    await Promise.all(
      concerned.map(async ({ name }) => assert.equal((await stage.goOn(name)).status, 200, name)),
    );
  }
});

test('a write that is made and never answered is a 503, the same for a right and a wrong code, and made once', async () => {
  const hangs: Plan = ({ name }) => (name === 'dynamodb:UpdateItem' ? 'hang-after' : undefined);
  const plans = Object.fromEntries(wrong.stage.names.map((name) => [name, hangs]));
  const [rights, wrongs] = [(await right.stage.run(plans)).runs, (await wrong.stage.run(plans)).runs];
  for (const name of wrong.stage.names) {
    const [one, other] = [rights[name] ?? assert.fail(), wrongs[name] ?? assert.fail()];
    assertProblem(one.answer, 503, 'temporarily_unavailable');
    assert.deepEqual({ ...one.answer.body, requestId: '' }, { ...other.answer.body, requestId: '' });
    assert.deepEqual(one.changes, right.clean[name]?.changes, name);
    assert.deepEqual(other.changes, wrong.clean[name]?.changes, name);
    for (const { stage } of [right, wrong]) assert.equal((await stage.goOn(name)).status, 200, name);
  }
});

test('while every call hangs first and is slow then, each operation ends in time, and nothing changes after its answer', async (t) => {
  const { stage, clean } = right;
  const plans = stage.names.map((name): [string, Plan] => [
    name,
    async ({ count }) => {
      if (count % 2 === 1) return 'hang';
      await setTimeout(ATTEMPT * 0.8);
      return undefined;
    },
  ]);
  const { runs } = await stage.run(Object.fromEntries(plans), () => stage.forgetKeys());
  await setTimeout(2 * ATTEMPT);
  for (const [name, run] of Object.entries(runs)) {
    t.diagnostic(`${name}: ${run.answer.status} after ${Math.round(run.took)} ms`);
    if (run.answer.status === 503) {
      assertProblem(run.answer, 503, 'temporarily_unavailable');
      assert.equal(run.answer.headers.get('retry-after'), '1');
    } else {
      assert.equal(run.answer.status, clean[name]?.answer.status, name);
      assert.deepEqual(run.changes, clean[name]?.changes, name);
    }
    assert.deepEqual(await stage.changes(name), run.changes, `${name}: after its answer`);
  }
});
