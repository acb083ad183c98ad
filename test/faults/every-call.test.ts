// Every operation, under every fault that shows at once, at every call it makes; what takes its time is in slow.test.ts.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { routes } from '../../functions/routes.ts';
import type { Fault } from '../../local/aws/types.ts';
import { type Answer, assertProblem } from '../support/client.ts';
import { serviceForTests } from '../support/service.ts';
import { CONFIGURATION, castsOf } from './operations.ts';
import { type Plan, type Run, type Stage, stageOf } from './play.ts';

const lines: string[] = [];
const secrets = new Set<string>();
const service = await serviceForTests(CONFIGURATION, { onLog: (_, line) => void lines.push(line) });
const casts = castsOf(service, secrets);

const BEFORE: Fault[] = ['throttle', 'error', 'reset'];
const AFTER: Fault[] = ['error-after', 'lose-answer'];
const faults = [...BEFORE, ...AFTER];

/** Refusals for want of a dependency, by what was played and on whom; the last part says in which cast. */
const refusals = new Map<string, Answer>();

/** Each cast, and its runs without any fault; before any test, for they share the time. */
const stages: [string, { stage: Stage; cold: Record<string, Run>; warm: Record<string, Run> }][] = [];
for (const [castName, cast] of Object.entries(casts)) {
  const stage = await stageOf(service, cast);
  const clean = async () =>
    (await stage.run(Object.fromEntries(stage.names.map((name) => [name, undefined])))).runs;
  // The first run of all starts the containers.
  await clean();
  stage.forgetKeys();
  stages.push([castName, { stage, cold: await clean(), warm: await clean() }]);
}

for (const [castName, { stage: first, cold, warm }] of stages) {
  let stage = first;
  after(() => stage.close());
  const states = {
    cold: { meanwhile: () => stage.forgetKeys(), runs: cold },
    warm: { meanwhile: () => {}, runs: warm },
  };

  for (const [state, { meanwhile, runs: cleanRuns }] of Object.entries(states)) {
    const longest = Math.max(...Object.values(cleanRuns).map(({ asked }) => asked.length));

    for (const fault of faults) {
      test(`${castName}, ${state}: any call that meets "${fault}" once is made again, and all is as if it had not`, async () => {
        for (let nth = 1; nth <= longest; nth++) {
          const { runs } = await played(nth, fault, ({ count }) => (count === nth ? fault : undefined));
          for (const [name, run] of Object.entries(runs)) {
            const { answer, changes } = cleanOf(name);
            const what = `${name}, call ${nth}: ${run.answer.status} ${run.answer.body['code']}`;
            assert.equal(run.answer.status, answer.status, what);
            assert.equal(run.answer.body['cognitoSessionsEnded'], answer.body['cognitoSessionsEnded'], what);
            assert.deepEqual(run.changes, changes, what);
            assert.ok(run.asked.length > cleanOf(name).asked.length, `${what}: it did not meet the fault`);
            assertWrittenOnce(run, what);
          }
        }
      });

      test(`${castName}, ${state}: from any call on "${fault}" is a 503 or no matter, nothing is lost or doubled, and the user goes on`, async () => {
        for (let nth = 1; nth <= longest; nth++) {
          const dependency = (name: string) => cleanOf(name).asked[nth - 1]?.split(':')[0];
          const { runs, again } = await played(nth, fault, ({ count, name }, caller) =>
            count >= nth && name.startsWith(`${dependency(caller)}:`) ? fault : undefined,
          );
          await Promise.all(
            Object.entries(runs).map(async ([name, run]) => {
              const { answer, changes, asked } = cleanOf(name);
              const what = `${name}, from call ${nth} on: ${run.answer.status} ${run.answer.body['code']}`;
              const lastWrite = asked.lastIndexOf('dynamodb:UpdateItem') + 1;
              const done = lastWrite > 0 && (nth > lastWrite || (nth === lastWrite && AFTER.includes(fault)));
              assert.deepEqual(run.changes, done ? changes : {}, what);
              assertWrittenOnce(run, what);
              if (run.answer.status === 503) {
                assertRefused(run);
                refusals.set([name, state, fault, nth, castName].join(), run.answer);
              } else {
                assert.ok(nth > lastWrite && lastWrite > 0, what);
                assert.equal(run.answer.status, answer.status, what);
                assert.equal(run.answer.body['cognitoSessionsEnded'], false, what);
              }
              if (done) {
                assert.equal((await stage.goOn(name)).status, 200, what);
              } else {
                assert.equal((await again(name)).status, answer.status, `${what}: again`);
                assert.deepEqual(await stage.changes(name), changes, `${what}: again`);
              }
            }),
          );
        }
      });
    }

    const cleanOf = (name: string): Run => cleanRuns[name] ?? assert.fail(name);

    /**
     * Plays a plan on everybody who makes so many calls: a fault after the work only where something is written, and where
     * nothing is, every fault only in the first cast, for what they read is the same.
     */
    async function played(
      nth: number,
      fault: Fault,
      plan: (call: Parameters<Plan>[0], caller: string) => Fault | undefined,
    ) {
      if (stage.old()) {
        stage.close();
        stage = await stageOf(service, casts[castName as keyof typeof casts]);
      }
      const writes = /UpdateItem|SignOut|RevokeToken/;
      const concerned = stage.names.filter((name) => {
        const call = cleanOf(name).asked[nth - 1];
        if (call === undefined) return false;
        return writes.test(call) || fault === 'error' || (castName === 'right' && BEFORE.includes(fault));
      });
      const plans = concerned.map((name): [string, Plan] => [name, (call) => plan(call, name)]);
      return stage.run(Object.fromEntries(plans), meanwhile);
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
  assert.ok(compared > 100, `${compared}`);
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
