/**
 * Sequences that show when one defence is gone, as small as they come: what the random ones found with defences taken away
 * on purpose, and whatever they find from now on. These run always.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAws } from '../support/aws.ts';
import { createInProcess } from './in-process.ts';
import { callOf, type Step } from './moves.ts';
import { type Met, play } from './play.ts';
import { tight } from './rules.ts';

const driver = await createInProcess(await startAws(), tight);

const wait = (seconds: number): Step => ({ kind: 'time', to: 'seconds', seconds, who: 0 });
/** To the end of the lock, or to the second before it. */
const waitForLock = (before: 0 | 1): Step => ({ kind: 'time', to: 'lock', seconds: before, who: 0 });
/** At once, going on in this order at every call of the store. */
const together = (turns: number[], ...calls: ReturnType<typeof callOf>[]): Step => ({
  kind: 'calls',
  moves: calls.flatMap(({ moves }) => moves),
  turns,
});
const wrong = { proof: { kind: 'wrong' } } as const;
const shown = { proof: { kind: 'code', whose: 'own', authenticator: 0, steps: 0 } } as const;
const all = { authenticator: undefined };

/** Steps of somebody enrolled, and how often what has to be answered on the way. */
const found: Record<string, { steps: Step[]; answers: Record<string, number> }> = {
  'an enrollment left behind does not survive disabling all': {
    steps: [wait(30), callOf('enroll'), wait(30), callOf('disable', all), wait(30), callOf('confirm', shown)],
    answers: { 'disable ok': 1, 'confirm enrollment_not_found': 1 },
  },
  'an enrollment is over on its last second': {
    steps: [wait(30), callOf('enroll'), wait(600), callOf('refresh'), callOf('confirm', shown)],
    answers: { 'enroll ok': 2, 'confirm enrollment_not_found': 1 },
  },
  'what confirms a further authenticator forgives no failure': {
    steps: [wait(30), callOf('enroll'), callOf('verify', wrong), callOf('confirm', shown)],
    answers: { 'verify code_rejected': 1, 'confirm ok': 2 },
  },
  'a lock holds to its end, doubles, and stays at the most': {
    steps: [
      callOf('verify', wrong),
      ...Array.from({ length: 4 }).flatMap(() => [
        callOf('verify', wrong),
        waitForLock(1),
        callOf('verify'),
        waitForLock(0),
      ]),
      callOf('verify'),
    ],
    answers: { 'verify code_rejected': 5, 'verify too_many_attempts': 4, 'verify ok': 1 },
  },
  'a code accepted on one path is spent on every other': {
    steps: [wait(30), callOf('verify', shown), callOf('login'), callOf('verify-login', shown)],
    answers: { 'verify ok': 1, 'verify-login code_rejected': 1 },
  },
  'a challenge answered once is answered, whatever the next code': {
    steps: [
      wait(30),
      callOf('login'),
      callOf('verify-login'),
      wait(30),
      callOf('verify-login', { token: 0 }),
    ],
    answers: { 'verify-login ok': 1, 'verify-login challenge_invalid': 1 },
  },
  'a right code that is beaten to the record by a wrong one opens nothing, and one failure is counted': {
    steps: [wait(30), together([0, 1, 1, 0], callOf('verify'), callOf('verify', wrong))],
    answers: { 'verify code_rejected': 2 },
  },
  'one code at once on two challenges: one session': {
    steps: [
      wait(30),
      callOf('login'),
      callOf('login'),
      together([0, 1, 0, 1], callOf('verify-login', { token: 0 }), callOf('verify-login', { token: 1 })),
    ],
    answers: { 'verify-login ok': 1, 'verify-login code_rejected': 1 },
  },
  'a refresh token used twice at once: two pairs, and either goes on': {
    steps: [
      together([0, 1, 0, 1], callOf('refresh'), callOf('refresh')),
      callOf('refresh', { token: 0 }),
      callOf('refresh', { token: 2 }),
    ],
    answers: { 'refresh ok': 4 },
  },
  'a refresh token used three times at once, both others before the write of the grace: one of them has it, and the session ends':
    {
      steps: [
        together([0, 1, 2, 0, 0, 1, 0], callOf('refresh'), callOf('refresh'), callOf('refresh')),
        callOf('refresh', { token: 0 }),
        callOf('refresh', { token: 1 }),
      ],
      answers: { 'refresh ok': 2, 'refresh refresh_token_invalid': 3 },
    },
  'a family that went on before the write of the grace has none, and ends': {
    steps: [
      callOf('refresh'),
      together([0, 1, 0, 1], callOf('refresh', { token: 1 }), callOf('refresh', { token: 0 })),
      callOf('refresh', { token: 0 }),
    ],
    answers: { 'refresh ok': 2, 'refresh refresh_token_invalid': 2 },
  },
  'a thief who had the grace is found out, and so is the owner, when the second of them refreshes': {
    steps: [
      callOf('refresh'),
      wait(5),
      callOf('refresh', { token: 1 }),
      wait(300),
      callOf('refresh', { token: 0 }),
      wait(6),
      callOf('refresh', { token: 2 }),
      callOf('refresh', { token: 0 }),
    ],
    answers: { 'refresh ok': 3, 'refresh refresh_token_invalid': 2 },
  },
  'a thief who comes after the grace ends the session, for the owner too': {
    steps: [callOf('refresh'), wait(6), callOf('refresh', { token: 1 }), callOf('refresh', { token: 0 })],
    answers: { 'refresh ok': 1, 'refresh refresh_token_invalid': 2 },
  },
  'a refresh that read before a change gives tokens that are void after it': {
    steps: [
      wait(30),
      together([0, 1, 1, 0], callOf('refresh'), callOf('disable', all)),
      callOf('status', { token: 0 }),
      callOf('status', { token: 1 }),
    ],
    answers: { 'refresh ok': 1, 'disable ok': 1, 'status ok': 1, 'status token_invalid': 1 },
  },
};

for (const [name, { steps, answers }] of Object.entries(found)) {
  test(name, async () => {
    const met: Met = new Map();
    await play({ enrolled: 1, steps }, driver, met);
    for (const [answer, count] of Object.entries(answers)) assert.equal(met.get(answer), count, answer);
  });
}
