import { Settings } from '../core/settings.ts';

/** Returns the variable SETTINGS: the part of the configuration that operations receive. */
export function settingsOf(config: Settings): string {
  const names = Object.keys(Settings.entries) as (keyof Settings)[];
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, config[name]])));
}
