import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

/** A value kept in one JSON file. */
export interface JsonFile<T> {
  readonly value: T;
  /** Writes the whole value. If the process is killed, the file is the old one or the new one. */
  save(): void;
}

/** Opens the file, or makes it with `initial`. Only its owner can read it: it may hold keys and verifiers. */
export function openJsonFile<T>(path: string, initial: () => T): JsonFile<T> {
  const exists = existsSync(path);
  const value: T = exists ? JSON.parse(readFileSync(path, 'utf8')) : initial();
  const save = () => {
    writeFileSync(`${path}.new`, JSON.stringify(value, null, 1), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  };
  if (!exists) save();
  return { value, save };
}
