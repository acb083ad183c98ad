import { isDeepStrictEqual } from 'node:util';
import {
  type Answer,
  type Expected,
  expected,
  type Op,
  type Rules,
  type State,
  type StepsOf,
  shut,
} from './model.ts';

export interface Call {
  op: Op;
  answer: Answer;
}

/**
 * The states in which one user can be after these calls, which ran at once: for every order of them that gives exactly
 * these answers, the state at its end. None: the service did what the model forbids.
 *
 * An operation whose write came second is beaten: it has changed nothing, and says so without a word on the code. That
 * explains a refusal only where some other of these calls wrote after the state in which this one would have been heard.
 *
 * @param nows the seconds since the epoch at which they may have run
 */
export function explain(
  states: readonly State[],
  calls: readonly Call[],
  nows: readonly number[],
  rules: Rules,
  stepsOf: StepsOf,
): State[] {
  const found = new Map<string, State>();
  for (const state of states) place(state, calls, []);
  return [...found.values()];

  /** @param before the states of this order that a write has replaced */
  function place(state: State, left: readonly Call[], before: readonly State[]): void {
    if (left.length === 0) return void found.set(canonical(state), state);
    for (const call of left) {
      const others = left.filter((other) => other !== call);
      for (const now of nows) {
        const is = expected(state, call.op, now, rules, stepsOf);
        if (answers(is, call.answer)) {
          const next = is.next(call.answer.body);
          place(next, others, is.beaten ? [...before, state] : before);
        }
        // A refusal may be either: heard and wrong, or not heard.
        if (isBeaten(call, state, before, now)) place(state, others, before);
      }
    }
  }

  function isBeaten({ op, answer }: Call, state: State, before: readonly State[], now: number): boolean {
    return before.some((past) => {
      const { beaten } = expected(past, op, now, rules, stepsOf);
      if (beaten === 'conflict') return answer.outcome === 'conflict';
      if (beaten === 'code_rejected') return answer.outcome === beaten;
      if (beaten !== 'code_rejected or shut') return false;
      // Shut meanwhile or not is said truly; whether the code was right is not.
      const refusal = shut(state, now) ?? { outcome: 'code_rejected', says: {} };
      return answers(refusal, answer);
    });
  }
}

function answers({ outcome, says }: Pick<Expected, 'outcome' | 'says'>, answer: Answer): boolean {
  return (
    answer.outcome === outcome &&
    Object.entries(says).every(([name, value]) => isDeepStrictEqual(answer.body[name], value))
  );
}

/** The same text for the same state, in whatever order its parts came to be. */
export function canonical(state: State): string {
  return JSON.stringify(state, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
