// Every operation, under every fault that shows at once, at every call it makes; what takes its time is in slow.test.ts.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Fault } from '@countersign/local-aws/context';
import { routes } from '../../functions/routes.ts';
import { type Answer, assertProblem } from '../support/client.ts';
import { serviceForTests } from '../support/service.ts';
import { CONFIGURATION, castsOf } from './operations.ts';
import { type Plan, type Run, type Stage, stageOf } from './play.ts';

const lines: string[] = [];
const secrets = new Set<string>();
const service = await serviceForTests(CONFIGURATION, {
  // One container a function: either it holds the keys or not.
  environments: 1,
  // Nothing hangs here: however busy the machine, no call meets a time-out besides.
  slowness: 20,
  onLog: (_, line) => void lines.push(line),
});
const casts = castsOf(service, secrets);

const BEFORE: Fault[] = ['throttle', 'error', 'reset'];
const AFTER: Fault[] = ['error-after', 'lose-answer'];
const FAULTS = [...BEFORE, ...AFTER];

/** Refusals for want of a dependency, by what was played and on whom; the last part says in which cast. */
const refusals = new Map<string, Answer>();

/** Each cast, and its runs without any fault; before any test, for they share the time. */
const stages: [string, { stage: Stage; cold: Record<string, Run>; warm: Record<string, Run> }][] = [];
for (const [castName, cast] of Object.entries(casts)) {
  const stage = await stageOf(service, cast);
  const clean = async (meanwhile?: () => void) =>
    (await stage.run(Object.fromEntries(stage.names.map((name) => [name, undefined])), meanwhile)).runs;
  // The first run of all starts the containers.
  await clean();
  stages.push([castName, { stage, cold: await clean(stage.forgetKeys), warm: await clean() }]);
}

for (const [castName, { stage: first, cold, warm }] of stages) {
  let stage = first;
  after(() => stage.close());

  for (const [state, cleanRuns] of Object.entries({ cold, warm })) {
    const cleanOf = (name: string): Run => cleanRuns[name] ?? assert.fail(name);
    let warmed = 0;

    for (const fault of FAULTS) {
      test(`${castName}, ${state}: any call that meets "${fault}" once is made again, and all is as if it had not`, async () => {
        for (let round = 0; ; round++) {
          const nths = nthsOf(fault, round);
          if (nths.size === 0) break;
          await played(
            nths,
            fault,
            (nth) => nth,
            (name, run) => {
              const { answer, changes, asked } = cleanOf(name);
              const what = `${name}, call ${nths.get(name)}: ${run.answer.status} ${run.answer.body['code']}`;
              assert.equal(run.answer.status, answer.status, what);
              assert.equal(
                run.answer.body['cognitoSessionsEnded'],
                answer.body['cognitoSessionsEnded'],
                what,
              );
              assert.deepEqual(run.changes, changes, what);
              assert.equal(run.asked.length, asked.length + 1, `${what}: one call was made again`);
              assertWrittenOnce(run, what);
            },
          );
        }
      });

      test(`${castName}, ${state}: from any call on "${fault}" is a 503 or no matter, nothing is lost or doubled, and the user goes on`, async () => {
        for (let round = 0; ; round++) {
          const nths = nthsOf(fault, round);
          if (nths.size === 0) break;
          await played(
            nths,
            fault,
            () => Number.POSITIVE_INFINITY,
            async (name, run, again) => {
              const nth = nths.get(name) ?? assert.fail();
              const { answer, changes, asked } = cleanOf(name);
              const what = `${name}, from call ${nth} on: ${run.answer.status} ${run.answer.body['code']}`;
              const lastWrite = asked.lastIndexOf('dynamodb:UpdateItem') + 1;
              const done = lastWrite > 0 && (nth > lastWrite || (nth === lastWrite && AFTER.includes(fault)));
              if (done && nth > lastWrite) {
                assert.match(
                  asked[nth - 1] ?? '',
                  /AdminUserGlobalSignOut$/,
                  `${what}: all else comes before the write`,
                );
              }
              assert.deepEqual(run.changes, done ? changes : {}, what);
              assertWrittenOnce(run, what);
              if (run.answer.status === 503) {
                assertRefused(run);
                refusals.set([name, state, fault, nth, castName].join(), run.answer);
              } else {
                // Only what follows a change may fail without a word of refusal, and then it is said.
                assert.ok(nth > lastWrite && lastWrite > 0, what);
                assert.equal(run.answer.status, answer.status, what);
                assert.equal(run.answer.body['cognitoSessionsEnded'], false, what);
              }
              if (done) {
                assert.equal((await stage.goOn(name)).status, 200, what);
              } else {
                assert.equal((await again()).status, answer.status, `${what}: again`);
                assert.deepEqual(await stage.changes(name), changes, `${what}: again`);
              }
            },
          );
        }
      });
    }

    /** The calls of each operation that meet this fault, one a round: where nothing is written, what is after is before. */
    function nthsOf(fault: Fault, round: number): Map<string, number> {
      const nths = stage.names.flatMap((name): [string, number][] => {
        const concerned = cleanOf(name).asked.flatMap((call, index) => {
          const written = /UpdateItem|SignOut|RevokeToken/.test(call);
          // What others read is the same as what the first cast reads.
          const read = castName === 'right' ? BEFORE.includes(fault) : fault === 'error';
          return written || read ? [index + 1] : [];
        });
        const nth = concerned[round];
        return nth === undefined ? [] : [[name, nth]];
      });
      return new Map(nths);
    }

    /**
     * Plays a fault from those calls on until another of each operation, as long as the same service is asked. Each run is judged
     * at once, before another one moves the clock.
     */
    async function played(
      nths: Map<string, number>,
      fault: Fault,
      until: (nth: number) => number,
      judge: (name: string, run: Run, again: () => Promise<Answer>) => unknown,
    ): Promise<void> {
      const everybody = Object.fromEntries(stage.names.map((name) => [name, undefined]));
      if (stage.old()) {
        stage.close();
        stage = await stageOf(service, casts[castName as keyof typeof casts]);
      }
      if (state === 'warm' && service.clock.seconds() - warmed > 30) {
        await stage.run(everybody, stage.forgetKeys);
        warmed = service.clock.seconds();
      }
      const plans = [...nths].map(([name, nth]): [string, Plan] => {
        const dependency = cleanOf(name).asked[nth - 1]?.split(':')[0];
        return [
          name,
          (call) =>
            call.count >= nth && call.count <= until(nth) && call.name.startsWith(`${dependency}:`)
              ? fault
              : undefined,
        ];
      });
      const meanwhile = () => state === 'cold' && stage.forgetKeys();
      const { runs, again } = await stage.run(Object.fromEntries(plans), meanwhile);
      await Promise.all(Object.entries(runs).map(([name, run]) => judge(name, run, () => again(name))));
    }
  }
}

test('a 503 is the same for a right and a wrong code, but for the request id', () => {
  let compared = 0;
  for (const [key, right] of refusals) {
    const wrong = key.endsWith(',right') && refusals.get(key.replace(/right$/, 'wrong'));
    if (!wrong) continue;
    assert.deepEqual(withoutId(right), withoutId(wrong), key);
    compared++;
  }
  assert.ok(compared > 80, `${compared}`);
});

test('a write that is overtaken while its answer is lost is a 503, the same for a right and a wrong code', async () => {
  const [right, wrong] = [await stageOf(service, casts.right), await stageOf(service, casts.wrong)];
  const names = ['verify-login', 'verify', 'enroll', 'confirm', 'disable', 'rotate-backup-codes'];
  const answers = [];
  for (const stage of [right, wrong]) {
    const plans = names.map((name): [string, Plan] => {
      let writes = 0;
      return [
        name,
        async (call) => {
          if (call.name !== 'dynamodb:UpdateItem' || ++writes > 2) return undefined;
          if (writes === 1) return 'lose-answer';
          await stage.overtake(name);
          return undefined;
        },
      ];
    });
    const { runs } = await stage.run(Object.fromEntries(plans));
    for (const run of Object.values(runs)) {
      assertRefused(run);
      assert.equal(run.asked.filter((call) => call === 'dynamodb:UpdateItem').length, 2);
    }
    answers.push(names.map((name) => withoutId(runs[name]?.answer ?? assert.fail())));
    for (const name of names) assert.equal((await stage.goOn(name)).status, 200, name);
    stage.close();
  }
  assert.deepEqual(answers[0], answers[1]);
});

test('no code, token, secret, password or backup code was logged', () => {
  assert.ok(lines.length > 1000);
  for (const line of lines) {
    assert.doesNotMatch(line, /eyJ/);
    for (const word of line.split(/[^\w.-]+/)) assert.ok(!secrets.has(word), line);
  }
});

test('every operation was played, but the one that asks nothing of AWS', () => {
  assert.deepEqual(new Set([...Object.keys(casts.right), 'discovery']), new Set(Object.keys(routes)));
});

function assertRefused({ answer }: Run): void {
  assertProblem(answer, 503, 'temporarily_unavailable');
  assert.equal(answer.headers.get('retry-after'), '1');
  for (const word of JSON.stringify(answer.body).split(/[^\w.-]+/)) assert.ok(!secrets.has(word));
}

/** The record itself: ending a family twice is ending it. */
function assertWrittenOnce({ calls, changes }: Run, what: string): void {
  if (!('USER' in changes)) return;
  const written = calls.filter(({ operation, status }) => operation === 'UpdateItem' && status === 200);
  assert.equal(written.length, 1, what);
}

function withoutId({ body, headers, status }: Answer) {
  const { requestId: _, ...rest } = body;
  const same = [...headers].filter(([name]) => !/^(date|x-amz.*id|x-amzn-.*)$/.test(name));
  return { status, body: rest, headers: same };
}
