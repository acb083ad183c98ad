import { Settings } from '../core/settings.ts';

/** What operations are told, out of a configuration that may hold more, as the variable SETTINGS. */
export function settingsOf(config: Settings): string {
  const names = Object.keys(Settings.entries) as (keyof Settings)[];
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, config[name]])));
}
