/**
 * The smallest sequences that fail if one defence is missing. The random sequences found them, with defences
 * removed on purpose. Whatever they find from now on belongs here too. These always run.
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
/** Waits until the lock ends, or until the second before. */
const waitForLock = (before: 0 | 1): Step => ({ kind: 'time', to: 'lock', seconds: before, who: 0 });
/** Runs these calls concurrently. `turns` picks the one that continues at each call of the store. */
const together = (turns: number[], ...calls: ReturnType<typeof callOf>[]): Step => ({
  kind: 'calls',
  moves: calls.flatMap(({ moves }) => moves),
  turns,
});
const wrong = { proof: { kind: 'wrong' } } as const;
const shown = { proof: { kind: 'code', whose: 'own', authenticator: 0, steps: 0 } } as const;
const all = { authenticator: undefined };

/** The steps of an enrolled user, and how often each answer must occur. */
const found: Record<string, { steps: Step[]; answers: Record<string, number> }> = {
  'a pending enrollment does not survive disabling all authenticators': {
    steps: [wait(30), callOf('enroll'), wait(30), callOf('disable', all), wait(30), callOf('confirm', shown)],
    answers: { 'disable ok': 1, 'confirm enrollment_not_found': 1 },
  },
  'a pending enrollment has expired in the second it expires': {
    steps: [wait(30), callOf('enroll'), wait(600), callOf('refresh'), callOf('confirm', shown)],
    answers: { 'enroll ok': 2, 'confirm enrollment_not_found': 1 },
  },
  'confirming another authenticator clears no failure': {
    steps: [wait(30), callOf('enroll'), callOf('verify', wrong), callOf('confirm', shown)],
    answers: { 'verify code_rejected': 1, 'confirm ok': 2 },
  },
  'a lock lasts until its end, doubles, and stays at the maximum': {
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
  'a challenge can be answered only once, whatever the next code': {
    steps: [
      wait(30),
      callOf('login'),
      callOf('verify-login'),
      wait(30),
      callOf('verify-login', { token: 0 }),
    ],
    answers: { 'verify-login ok': 1, 'verify-login challenge_invalid': 1 },
  },
  'a correct code that loses the race to a wrong one is refused, and one failure counts': {
    steps: [wait(30), together([0, 1, 1, 0], callOf('verify'), callOf('verify', wrong))],
    answers: { 'verify code_rejected': 2 },
  },
  'one code sent to two challenges concurrently opens one session': {
    steps: [
      wait(30),
      callOf('login'),
      callOf('login'),
      together([0, 1, 0, 1], callOf('verify-login', { token: 0 }), callOf('verify-login', { token: 1 })),
    ],
    answers: { 'verify-login ok': 1, 'verify-login code_rejected': 1 },
  },
  'a refresh token used twice concurrently gives two pairs, and both can be refreshed': {
    steps: [
      together([0, 1, 0, 1], callOf('refresh'), callOf('refresh')),
      callOf('refresh', { token: 0 }),
      callOf('refresh', { token: 2 }),
    ],
    answers: { 'refresh ok': 4 },
  },
  'three concurrent uses of a refresh token, two racing for the grace: one gets it, and the session ends': {
    steps: [
      together([0, 1, 2, 0, 0, 1, 0], callOf('refresh'), callOf('refresh'), callOf('refresh')),
      callOf('refresh', { token: 0 }),
      callOf('refresh', { token: 1 }),
    ],
    answers: { 'refresh ok': 2, 'refresh refresh_token_invalid': 3 },
  },
  'a family that advanced before the grace was written gives none, and ends': {
    steps: [
      callOf('refresh'),
      together([0, 1, 0, 1], callOf('refresh', { token: 1 }), callOf('refresh', { token: 0 })),
      callOf('refresh', { token: 0 }),
    ],
    answers: { 'refresh ok': 2, 'refresh refresh_token_invalid': 2 },
  },
  'if a thief used the grace, the session ends when the second of thief and owner refreshes': {
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
  'a thief who refreshes after the grace ends the session, for the owner too': {
    steps: [callOf('refresh'), wait(6), callOf('refresh', { token: 1 }), callOf('refresh', { token: 0 })],
    answers: { 'refresh ok': 1, 'refresh refresh_token_invalid': 2 },
  },
  'a refresh that read before a change gives tokens that the change has revoked': {
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
