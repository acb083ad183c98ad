import { randomInt, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { openJsonFile } from '../files/json-file.ts';

/** The names that AWS makes up for what it creates. They are made up once and kept. */
export interface Identifiers {
  /** Returns the identifier of this key. It is made on first use, and on the disk before the call returns. */
  get(key: string, make: () => string): string;
}

/** Opens the identifiers kept in this folder. */
export function openIdentifiers(folder: string): Identifiers {
  const file = openJsonFile<Record<string, string>>(join(folder, 'identifiers.json'), () => ({}));
  return {
    get(key, make) {
      const known = file.value[key];
      if (known !== undefined) return known;
      const made = make();
      file.value[key] = made;
      file.save();
      return made;
    },
  };
}

const LOWER = 'abcdefghijklmnopqrstuvwxyz0123456789';
const MIXED = `ABCDEFGHIJKLMNOPQRSTUVWXYZ${LOWER}`;

/** Lower-case letters and digits, as in an API's id. */
export const lowerCase = (length: number) => () => pick(LOWER, length);
/** Letters of both cases and digits, as in an API key or a user pool's id. */
export const mixedCase = (length: number) => () => pick(MIXED, length);
/** Upper-case letters and digits, as in an access key id. */
export const upperCase = (length: number) => () => pick(LOWER, length).toUpperCase();
export const uuid = () => randomUUID();

function pick(letters: string, length: number): string {
  return Array.from({ length }, () => letters[randomInt(letters.length)]).join('');
}
