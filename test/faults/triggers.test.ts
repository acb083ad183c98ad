// Every Cognito trigger, under every fault at every call it makes: refused or as without it, and never late.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { Fault } from '@countersign/local-aws/context';
import { requestTimeouts } from '../../adapters/aws.ts';
import { KEYRING_TTL } from '../../core/key-rotation.ts';
import { clientOf, enrollPerson } from '../support/client.ts';
import { createPerson } from '../support/people.ts';
import { serviceForTests } from '../support/service.ts';
import { CONFIGURATION } from './operations.ts';
import { changesOf, storeOf } from './stored.ts';

/** An attempt ends after this, on a machine so much slower: nothing but what hangs takes so long. In milliseconds. */
const SLOWNESS = 5;
const ATTEMPT = requestTimeouts.requestHandler.requestTimeout * SLOWNESS;

const service = await serviceForTests(
  { ...CONFIGURATION, enrollment: { requiredAfterDays: 3 } },
  { slowness: SLOWNESS },
);
const store = storeOf(service);
after(() => store.close());
const client = clientOf(service);
const [enrolled, newcomer, forgetful] = await Promise.all([1, 2, 3].map(() => createPerson(service)));
assert.ok(enrolled && newcomer && forgetful);
const { code, wrongCode } = await enrollPerson(service, client, enrolled);

const PASSWORD = ['SRP_A', 'PASSWORD_VERIFIER'].map((challengeName) => ({
  challengeName,
  challengeResult: true,
}));
/** Lambda ended the function, which it does before Cognito would call it again. */
const TOO_LATE = 'no answer in time';
const invoke = async (trigger: string, { sub }: { sub: string }, request: object, source = '') => {
  const outcome = await service.invoke(`cognito/${trigger}`, {
    userPoolId: service.local.cognito.userPoolId,
    userName: 'somebody',
    triggerSource: source,
    request: { userAttributes: { sub }, ...request },
    response: {},
  });
  if (outcome.ok) return (outcome.payload as { response: unknown }).response;
  return outcome.error.errorType === 'Sandbox.Timedout' ? TOO_LATE : 'an error';
};
const verify = (answer: () => string) => () =>
  invoke('verify-auth-challenge-response', enrolled, {
    privateChallengeParameters: hidden,
    challengeAnswer: answer(),
  });
const created = (await invoke('create-auth-challenge', enrolled, { session: PASSWORD })) as {
  privateChallengeParameters: Record<string, string>;
};
const hidden = created.privateChallengeParameters;

/** What each does, whose record it concerns, and the one answer it may give where it cannot do it. */
const triggers = {
  define: {
    person: enrolled,
    run: () => invoke('define-auth-challenge', enrolled, { session: PASSWORD }),
    refusal: { challengeName: '', issueTokens: false, failAuthentication: true },
  },
  create: {
    person: enrolled,
    run: () => invoke('create-auth-challenge', enrolled, { session: PASSWORD }),
    refusal: {
      publicChallengeParameters: {},
      privateChallengeParameters: {},
      challengeMetadata: 'SECOND_FACTOR',
    },
  },
  'verify, a right code': { person: enrolled, run: verify(code), refusal: { answerCorrect: false } },
  'verify, a wrong code': { person: enrolled, run: verify(wrongCode), refusal: { answerCorrect: false } },
  'pre-token-generation': {
    person: newcomer,
    run: () => invoke('pre-token-generation', newcomer, {}, 'TokenGeneration_Authentication'),
    refusal: 'an error',
  },
  'post-confirmation': {
    person: forgetful,
    run: () => invoke('post-confirmation', forgetful, {}, 'PostConfirmation_ConfirmForgotPassword'),
    refusal: 'an error',
  },
};

type Plan = (count: number, name: string) => Fault | undefined | Promise<Fault | undefined>;
/** The plans under way, by how the function's name goes on, and what it has asked so far. */
const plans = new Map<string, { asked: string[]; plan: Plan }>();
service.setFault(({ service: dependency, operation, principal }) => {
  const [, trigger = ''] = /-Cognito([A-Z][a-z]+)/.exec(principal ?? '') ?? [];
  const under = plans.get(trigger.toLowerCase());
  if (!under) return undefined;
  const name = `${dependency}:${operation}`;
  return under.plan(under.asked.push(name), name);
});

/** Runs a trigger on the record as it was, under a plan for its calls. */
async function played(name: keyof typeof triggers, plan: Plan = () => undefined) {
  const { person, run } = triggers[name];
  const pk = `USER#users#${person.sub}`;
  await store.set(pk, before[pk]);
  // Keys are forgotten.
  service.clock.advance(KEYRING_TTL + 1);
  const asked: string[] = [];
  const [trigger = ''] = name.split(/\W/);
  plans.set(trigger, { asked, plan });
  const answer = await run();
  plans.delete(trigger);
  const changes = async () => changesOf({ [pk]: before[pk] }, await store.readAll([pk]));
  return { answer: comparable(answer), asked, changes: await changes(), later: changes };
}

/** Without the id that each challenge has of its own. */
const comparable = (answer: unknown) =>
  JSON.parse(JSON.stringify(answer, (key, value) => (key === 'challenge' ? 'its id' : value)));

const before = await store.readAll([enrolled, newcomer, forgetful].map(({ sub }) => `USER#users#${sub}`));
const AFTER: Fault[] = ['error-after', 'lose-answer'];

const names = Object.keys(triggers) as (keyof typeof triggers)[];

for (const name of names) {
  const { refusal } = triggers[name];
  test(`${name}: a call that fails once is made again`, async () => {
    const clean = await played(name);
    assert.ok(clean.asked.length > 0);
    for (const fault of ['throttle', 'error', 'reset', ...AFTER] as Fault[]) {
      for (const nth of clean.asked.keys()) {
        const run = await played(name, (count) => (count === nth + 1 ? fault : undefined));
        const what = `${fault} at call ${nth + 1}`;
        assert.deepEqual(run.answer, clean.answer, what);
        assert.deepEqual(run.changes, clean.changes, what);
      }
    }
  });

  test(`${name}: while a service fails it is refused, and nothing is doubled`, async () => {
    const clean = await played(name);
    const lastWrite = clean.asked.lastIndexOf('dynamodb:UpdateItem');
    for (const fault of ['throttle', 'error', 'reset', ...AFTER] as Fault[]) {
      for (const [nth, call] of clean.asked.entries()) {
        const down = `${call.split(':')[0]}:`;
        const run = await played(name, (count, asked) =>
          count > nth && asked.startsWith(down) ? fault : undefined,
        );
        const what = `${fault} from call ${nth + 1} on`;
        assert.deepEqual(run.answer, refusal, what);
        const done = lastWrite >= 0 && (nth > lastWrite || (nth === lastWrite && AFTER.includes(fault)));
        assert.deepEqual(run.changes, done ? clean.changes : {}, what);
      }
    }
  });
}

test('with a service that hangs, or answers late every time, each ends before Cognito calls again', async () => {
  // Two for one function would be one after the other.
  const each = names.filter((name) => name !== 'verify, a wrong code');
  for (const late of [0, ATTEMPT * 0.8]) {
    const plan: Plan = async (count) => {
      if (late === 0 || count % 2 === 1) return 'hang';
      await setTimeout(late);
      return undefined;
    };
    await Promise.all(
      each.map(async (name) => {
        const run = await played(name, plan);
        assert.notEqual(run.answer, TOO_LATE, name);
        if (late === 0) assert.deepEqual(run.answer, triggers[name].refusal, name);
        await setTimeout(ATTEMPT + 100);
        assert.deepEqual(await run.later(), run.changes, `${name}: nothing is written after the answer`);
      }),
    );
  }
});
