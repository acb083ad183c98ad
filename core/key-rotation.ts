import type { Settings } from './settings.ts';

/** When keys are made, used and dropped. Times in seconds. */

const DAY = 86_400;

/** Room for clocks that differ, and for what is on its way. */
const SKEW = 60;

/** How long a function caches the keyring, and the keys it unwrapped: a withdrawn key dies within it. */
export const KEYRING_TTL = 300;

/** `max-age` of our key set: caches on the way may answer with an older one for so long. */
export const KEY_SET_MAX_AGE = 300;

/**
 * How long a verifier elsewhere may hold our key set without looking again: API Gateway's JWT authorizers hold it for two
 * hours, whatever max-age says (API Gateway Developer Guide, "Control access to HTTP APIs with JWT authorizers").
 */
const KEY_SET_HELD = 2 * 3600;

export interface RotatingKey {
  id: string;
  /** Not used before. */
  activeFrom: number;
}

/** The newest key whose time has come. */
export function activeKey<K extends RotatingKey>(keys: K[], now: number): K | undefined {
  return keys
    .filter(({ activeFrom }) => activeFrom <= now)
    .reduce<K | undefined>(
      (best, key) => (best && best.activeFrom >= key.activeFrom ? best : key),
      undefined,
    );
}

/** Whether it is time for a new key: none is waiting, and the newest has been in use for so many days. */
export function isDue(keys: RotatingKey[], now: number, { keyRotationDays }: Settings): boolean {
  const newest = Math.max(...keys.map(({ activeFrom }) => activeFrom));
  return newest + keyRotationDays * DAY <= now;
}

/**
 * A new key is used only when every container, and for signing every verifier, can know it. If there is no key to continue
 * with, that wait would help nobody.
 */
export function activeFromOfNewKey(keys: RotatingKey[], signing: boolean, now: number): number {
  if (!activeKey(keys, now)) return activeAtOnce(now);
  return now + SKEW + KEYRING_TTL + (signing ? KEY_SET_MAX_AGE + KEY_SET_HELD : 0);
}

/** By every clock. */
export function activeAtOnce(now: number): number {
  return now - SKEW;
}

/** Signing keys still needed: to sign now or later, or because a token of theirs may still live. */
export function signingKeysNeeded<K extends RotatingKey>(keys: K[], now: number, settings: Settings): K[] {
  const { refreshToken, accessToken, challenge } = settings.lifetimes;
  const longest = Math.max(refreshToken, accessToken, challenge) + KEYRING_TTL + SKEW;
  return keys.filter((key) => {
    const successor = keys
      .filter(({ activeFrom }) => activeFrom > key.activeFrom)
      .reduce((soonest, { activeFrom }) => Math.min(soonest, activeFrom), Number.POSITIVE_INFINITY);
    return successor + longest > now;
  });
}

/**
 * Keys that seal or digest and that nothing uses: not the active one, not one still to come, superseded so long before the
 * sweep began that no function cached it as the active one, and not met in the whole of the sweep.
 */
export function unusedKeys<K extends RotatingKey>(
  keys: K[],
  met: ReadonlySet<string>,
  sweepBegan: number,
): K[] {
  const active = activeKey(keys, sweepBegan - KEYRING_TTL - SKEW);
  if (!active) return [];
  return keys.filter((key) => key.activeFrom < active.activeFrom && !met.has(key.id));
}
