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
 * Returns the states one user can be in after these concurrent calls. Each order of the calls that gives
 * exactly these answers contributes its final state. If there is none, the service did something that the
 * model forbids.
 *
 * An operation is beaten if another write came between its read and its write. It changed nothing, and its
 * refusal does not tell whether the code was right. That explains a refusal only if another of these calls
 * wrote after the state that this one read.
 *
 * @param nows the seconds since the epoch at which the calls may have run
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

  /** @param before the states that a write has replaced in this order */
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
        // A refusal can mean a wrong code or a lost race.
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
      // The refusal reports a lock or stop set meanwhile. It does not tell whether the code was right.
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

/** Returns the same text for equal states, whatever the order of their members. */
export function canonical(state: State): string {
  return JSON.stringify(state, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
