import { spawnSync } from 'node:child_process';
import { existsSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Locks the folder for this process. It takes over the lock of a process that was killed. A lock names the process by id
 * and start time, since ids repeat.
 *
 * @returns a function that unlocks the folder
 * @throws Error if another process has the folder
 */
export function lockFolder(folder: string): () => void {
  const path = join(folder, 'lock');
  const own = JSON.stringify({ pid: process.pid, started: startOf(process.pid) });
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, own);
  try {
    while (!claim(draft, path)) clearAway(path, folder);
  } finally {
    rmSync(draft, { force: true });
  }
  return () => {
    if (existsSync(path) && readFileSync(path, 'utf8') === own) rmSync(path);
  };
}

/** Claims by a link, which appears with its content or not at all. */
function claim(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === 'EEXIST') return false;
    throw error;
  }
}

function clearAway(path: string, folder: string): void {
  const found = readIfThere(path);
  if (found === undefined) return;
  const { pid, started } = JSON.parse(found) as { pid: number; started: string };
  if (started === startOf(pid)) throw new Error(`${folder} is in use by process ${pid}.`);
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  // Another process may have taken the lock in between: then it goes back.
  if (readFileSync(aside, 'utf8') !== found) claim(aside, path);
  rmSync(aside);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** The start time of the process, in the system's own form; undefined if there is no such process. */
function startOf(pid: number): string | undefined {
  if (existsSync('/proc/self/stat')) {
    // Field 22; the second is a name in parentheses, in which anything may stand (proc_pid_stat(5)).
    return readIfThere(`/proc/${pid}/stat`)?.split(')').at(-1)?.split(' ')[20];
  }
  return (
    spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)])
      .stdout?.toString()
      .trim() || undefined
  );
}
