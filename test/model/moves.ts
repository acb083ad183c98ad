import fc from 'fast-check';
import type { Op } from './model.ts';

/**
 * An action, expressed by positions in what was seen so far, so that any part of a sequence is a valid
 * sequence.
 */
export interface Move {
  name: Op['name'];
  /** Index of the user whose record it concerns. */
  who: number;
  /**
   * Position among the user's tokens of the right kind, newest first, including invalid ones. Undefined: the
   * newest valid one.
   */
  token: number | undefined;
  /** Picks any user's token of any kind instead, as an attacker might. */
  stray: number | undefined;
  proof: ProofMove;
  /** Position of the user's authenticator or enrollment, newest first. Undefined: the request names none. */
  authenticator: number | undefined;
  password: 'right' | 'wrong';
  /** Whether it uses another client's API key. */
  otherClient: boolean;
}

export type ProofMove =
  /** A code of the user that can still be accepted, if there is one. */
  | { kind: 'fresh'; authenticator: number }
  /** The code of an authenticator, of this user or another, so many steps from now. */
  | { kind: 'code'; whose: 'own' | 'other'; authenticator: number; steps: number }
  | { kind: 'backup'; whose: 'own' | 'other'; index: number }
  /** A proof sent before, used or not. */
  | { kind: 'replay'; index: number }
  | { kind: 'wrong' }
  | { kind: 'none' };

export type Step =
  | { kind: 'calls'; moves: Move[]; turns: number[] }
  | { kind: 'time'; to: 'seconds' | 'step' | 'lock'; seconds: number; who: number };

export interface Sequence {
  /** Number of users who enroll before the sequence begins. */
  enrolled: number;
  steps: Step[];
}

const newest = (most: number) =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(most) });
const rarely = <T>(weight: number, arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
const oneOf = <T>(...choices: [weight: number, T][]) =>
  fc.oneof(...choices.map(([weight, value]) => ({ weight, arbitrary: fc.constant(value) })));

const anyProof: fc.Arbitrary<ProofMove> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('fresh' as const), authenticator: newest(2) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('code' as const),
      whose: oneOf([12, 'own' as const], [1, 'other' as const]),
      authenticator: newest(2),
      steps: oneOf([8, 0], [2, 1], [1, -1], [1, 2], [1, -2]),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('backup' as const),
      whose: oneOf([8, 'own' as const], [1, 'other' as const]),
      index: fc.oneof({ weight: 3, arbitrary: fc.nat(2) }, { weight: 1, arbitrary: fc.nat(30) }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('replay' as const), index: fc.nat(4) }) },
  { weight: 5, arbitrary: fc.constant({ kind: 'wrong' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'none' as const }) },
);

const names = oneOf<Op['name']>(
  [8, 'login'],
  [24, 'verify-login'],
  [12, 'refresh'],
  [3, 'logout'],
  [4, 'status'],
  [16, 'enroll'],
  [20, 'confirm'],
  [20, 'verify'],
  [6, 'disable'],
  [8, 'rotate-backup-codes'],
  [2, 'admin-unlock'],
  [1, 'admin-reset'],
  [2, 'admin-revoke-sessions'],
);

const moveOf = (
  name: fc.Arbitrary<Op['name']>,
  who: fc.Arbitrary<number>,
  proof: fc.Arbitrary<ProofMove>,
): fc.Arbitrary<Move> =>
  fc.record({
    name,
    who,
    token: rarely(6, fc.nat(4)),
    stray: rarely(20, fc.nat(30)),
    proof,
    authenticator: fc.oneof(
      { weight: 3, arbitrary: newest(2) },
      { weight: 1, arbitrary: fc.constant(undefined) },
    ),
    password: oneOf([12, 'right' as const], [1, 'wrong' as const]),
    otherClient: oneOf([15, false], [1, true]),
  });

const anyone = oneOf([6, 0], [2, 1], [1, 2]);

/**
 * Returns one call, or several concurrent ones. These mostly share a user, a kind or a proof, because races
 * happen there.
 */
const calls = (most: number): fc.Arbitrary<Step> => {
  const alone = moveOf(names, anyone, anyProof).map((move) => ({
    kind: 'calls' as const,
    moves: [move],
    turns: [],
  }));
  if (most < 2) return alone;
  const mostly = <T>(value: T, other: fc.Arbitrary<T>) =>
    fc.oneof({ weight: 2, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: other });
  const together = fc.tuple(names, anyone, anyProof, fc.boolean()).chain(([name, who, proof, alike]) =>
    fc.record({
      kind: fc.constant('calls' as const),
      moves: fc.array(
        moveOf(alike ? mostly(name, names) : names, mostly(who, anyone), mostly(proof, anyProof)),
        { minLength: 2, maxLength: most },
      ),
      turns: fc.array(fc.nat(most - 1), { maxLength: 4 * most }),
    }),
  );
  return fc.oneof({ weight: 3, arbitrary: alone }, { weight: 2, arbitrary: together });
};

/**
 * Odd amounts, and the edges of steps, locks and lifetimes. All but the last add up to less than the 30 days
 * of a failure.
 */
const time: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('time' as const),
  to: oneOf([6, 'seconds' as const], [1, 'step' as const], [3, 'lock' as const]),
  seconds: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(30, 0, 1, 5, 6, 29, 31, 60, 90) },
    {
      weight: 4,
      arbitrary: fc.constantFrom(119, 120, 121, 299, 300, 301, 599, 600, 601, 899, 900, 901, 3600),
    },
    { weight: 1, arbitrary: fc.constantFrom(86_399, 86_400, 37 * 86_400) },
  ),
  who: anyone,
});

/** Returns one call, by default of the first user with a valid token and code. */
export function callOf(name: Op['name'], more: Partial<Move> = {}): Extract<Step, { kind: 'calls' }> {
  const move: Move = {
    name,
    who: 0,
    token: undefined,
    stray: undefined,
    proof: { kind: 'fresh', authenticator: 0 },
    authenticator: 0,
    password: 'right',
    otherClient: false,
  };
  return { kind: 'calls', moves: [{ ...move, ...more }], turns: [] };
}

/** Short series of calls that chance alone seldom produces, with random choices in them. */
const story: fc.Arbitrary<Step[]> = fc
  .record({
    who: anyone,
    plot: fc.constantFrom(
      'guessing',
      'refresh reused',
      'change',
      'enrollment left',
      'challenge reused',
      'reset',
    ),
    count: fc.integer({ min: 1, max: 6 }),
    changes: fc.constantFrom('rotate-backup-codes', 'disable', 'admin-revoke-sessions', 'admin-reset'),
    uses: fc.constantFrom('status', 'refresh', 'verify', 'enroll', 'disable', 'rotate-backup-codes'),
    back: fc.nat(3),
    all: fc.boolean(),
    seconds: fc.constantFrom(30, 31, 30, 599, 600, 601),
    near: fc.constantFrom(0, 1, 5, 6),
  })
  .map(({ who, plot, count, changes, uses, back, all, seconds, near }): Step[] => {
    const call = (name: Op['name'], more: Partial<Move> = {}) =>
      callOf(name, { who, authenticator: all ? undefined : 0, ...more });
    const wait = (to: 'seconds' | 'lock', seconds: number): Step => ({ kind: 'time', to, seconds, who });
    switch (plot) {
      case 'guessing':
        return Array.from({ length: count }).flatMap(() => [
          wait('lock', 0),
          call('verify', { proof: { kind: 'wrong' } }),
        ]);
      case 'refresh reused':
        return [
          call('refresh'),
          wait('seconds', near),
          call('refresh', { token: 1 }),
          wait('seconds', count),
          call('refresh', { token: back }),
          call('refresh', { token: 0 }),
        ];
      case 'change':
        return [wait('seconds', 30), call(changes), wait('seconds', 30), call(uses, { token: back })];
      case 'enrollment left':
        return [
          call('enroll'),
          wait('seconds', seconds),
          ...(seconds < 60 ? [call('disable'), wait('seconds', 30)] : [call('refresh')]),
          call('confirm', {
            authenticator: 0,
            proof: { kind: 'code', whose: 'own', authenticator: 0, steps: 0 },
          }),
        ];
      case 'reset':
        return [
          call('admin-reset'),
          call('login'),
          call('verify-login'),
          call(uses === 'refresh' ? uses : 'enroll'),
          call('confirm', { proof: { kind: 'code', whose: 'own', authenticator: 0, steps: 0 } }),
        ];
      default:
        return [call('login'), call('verify-login'), wait('seconds', 30), call('verify-login', { token: 0 })];
    }
  });

/**
 * Returns random sequences.
 *
 * @param together most concurrent calls
 * @param length most steps, of which a whole story counts as one
 */
export const sequences = (together: number, length = 60): fc.Arbitrary<Sequence> =>
  fc.record({
    enrolled: oneOf([1, 0], [4, 1], [1, 2]),
    // No bias towards short sequences, because they reach nothing.
    steps: fc
      .noBias(
        fc.array(
          fc.oneof(
            { weight: 15, arbitrary: calls(together).map((step) => [step]) },
            { weight: 6, arbitrary: time.map((step) => [step]) },
            { weight: 2, arbitrary: story },
          ),
          { maxLength: length, size: 'max' },
        ),
      )
      .map((steps) => steps.flat()),
  });
