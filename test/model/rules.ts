import type { Rules } from './model.ts';

const lifetimes = {
  accessToken: 300,
  challenge: 120,
  refreshToken: 86_400,
  refreshGrace: 5,
  enrollment: 600,
  enrollmentTicket: 3600,
  recentSignIn: 600,
};

/** The default limits. */
export const standard: Rules = {
  ...lifetimes,
  authenticators: 5,
  lockAfter: 5,
  lockSeconds: 30,
  lockSecondsMost: 900,
  stopAfter: 100,
  stopWithin30Days: 300,
};

/** Limits so low that a short sequence reaches all of them. */
export const tight: Rules = {
  ...lifetimes,
  authenticators: 2,
  lockAfter: 2,
  lockSeconds: 20,
  lockSecondsMost: 70,
  stopAfter: 7,
  stopWithin30Days: 10,
};

/** No locks, an early stop, and no grace for a refresh token. */
export const stopping: Rules = {
  ...standard,
  refreshGrace: 0,
  lockAfter: 20,
  stopAfter: 5,
  stopWithin30Days: 7,
};

/** The same where a configuration says it: the rest is as it always is. */
export const tightAsDeployed: Rules = {
  ...tight,
  lockSecondsMost: standard.lockSecondsMost,
  stopWithin30Days: standard.stopWithin30Days,
};

/** What a configuration says of these rules. */
export function settingsOf(rules: Rules) {
  const {
    authenticators,
    lockAfter,
    lockSeconds,
    lockSecondsMost: _longestLock,
    stopAfter,
    stopWithin30Days: _most,
    ...lifetimes
  } = rules;
  return { totp: { authenticators }, limits: { lockAfter, lockSeconds, stopAfter }, lifetimes };
}

/** All limits of these rules, for operations that are called directly. */
export function limitsOf({ lockAfter, lockSeconds, lockSecondsMost, stopAfter, stopWithin30Days }: Rules) {
  return { lockAfter, lockSeconds, longestLock: lockSecondsMost, stopAfter, stopWithin30Days };
}
