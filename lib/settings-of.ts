import type { Config } from './config.ts';

/** The part of the configuration that operations are told, as the variable SETTINGS. */
export function settingsOf({ realm, totp, limits, lifetimes }: Config): string {
  return JSON.stringify({ realm, totp, limits, lifetimes });
}
