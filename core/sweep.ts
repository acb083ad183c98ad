import { CountersignError } from './error.ts';
import type { Factor } from './factor.ts';
import type { SecretKeyKind } from './key-kind.ts';
import { unusedKeys } from './key-rotation.ts';
import type { Keyring } from './ports.ts';
import { keysOf, resealed } from './reseal.ts';
import type { Settings } from './settings.ts';
import type { User } from './user.ts';

/** The progress of a sweep over all records. */
export interface Sweep {
  /** Seconds since the epoch. */
  began: number;
  /** When it got there. */
  reached: number;
  /** The next page; undefined at the beginning. */
  cursor: string | undefined;
  /** Keys found in use. This sweep retires none of them. */
  met: Record<SecretKeyKind, string[]>;
  /** Records, or secrets in them, that could not be read: with any, no key is known to be unused. */
  unreadable: number;
}

/** The state that one run leaves to the next. */
export interface SweepJob {
  /** The sweep under way. */
  sweep: Sweep | undefined;
  /** When the last whole sweep ended, in seconds since the epoch; 0 before the first. */
  endedAt: number;
}

export interface SweepStore {
  /** Takes the job for this run alone, until it is released or its time is over. Undefined while another run has it. */
  take(now: number): Promise<SweepJob | undefined>;
  /** @throws Error where the job is no longer this run's */
  save(job: SweepJob): Promise<void>;
  release(): Promise<void>;
  /** Returns some records from the cursor on, unreadable ones without their factor, and the next cursor; undefined at the end. */
  page(
    cursor: string | undefined,
  ): Promise<{ records: { user: User; factor?: Factor }[]; cursor: string | undefined }>;
  /** Writes resealed secrets into the same record. False if anything has been written since it was read. */
  reseal(user: User, read: Factor, next: Factor): Promise<boolean>;
  /** Key ids of a kind with the time each became active. */
  keys(kind: SecretKeyKind): Promise<{ id: string; activeFrom: number }[]>;
  /** Removes keys from the keyring for good. False if the keyring has changed meanwhile. */
  retire(kind: SecretKeyKind, ids: string[]): Promise<boolean>;
}

export interface SweepResult {
  /** `idle`: there was nothing to do. `busy`: another run is at it. `paused`: to be resumed. */
  outcome: 'idle' | 'busy' | 'paused' | 'finished';
  seen: number;
  resealed: number;
  unreadable: number;
  retired: string[];
}

const KINDS = ['data', 'backup-code'] as const;

const DAY = 86_400;

/**
 * Seconds from the end of a sweep to the beginning of the next. A write that was under way while its record was resealed may
 * bring the old box back. So a later sweep retires a key that this one found in use, and begins when every such write has
 * long ended.
 */
const PAUSE = DAY;

interface Sweeping {
  store: SweepStore;
  keyring: Keyring;
  settings: Settings;
}

/**
 * Reseals secrets under the active key at a bounded rate, then retires keys that no record uses.
 *
 * It does nothing while there is one key of each kind. With older data keys it begins at most once a day. With older keys of
 * backup codes only, which go with their sets, it begins once in a rotation's time.
 *
 * @param next waits between two pages and tells the time; undefined ends this run, and the next one resumes there
 * @throws whatever the store or the keyring throws; what was done stands, and the next run resumes
 */
export async function sweep(
  sweeping: Sweeping,
  now: number,
  next: () => Promise<number | undefined>,
): Promise<SweepResult> {
  const { store, settings } = sweeping;
  const result: SweepResult = { outcome: 'idle', seen: 0, resealed: 0, unreadable: 0, retired: [] };
  const rings = await Promise.all(KINDS.map((kind) => store.keys(kind)));
  if (rings.every((keys) => keys.length <= 1)) return result;
  const job = await store.take(now);
  if (!job) return { ...result, outcome: 'busy' };
  try {
    const pause = (rings[0]?.length ?? 0) > 1 ? PAUSE : Math.max(PAUSE, settings.keyRotationDays * DAY);
    // A sweep that nobody resumed for so long knows only which keys were in use long ago.
    const left = job.sweep && now < job.sweep.reached + PAUSE ? job.sweep : undefined;
    if (!left && now < job.endedAt + pause) return result;
    let state = left ?? newSweep(now);
    let at: number | undefined = now;
    while (at !== undefined) {
      const after = await sweepPage(sweeping, job, state, result, at);
      const ended = after.cursor === undefined;
      // Saved at the end too: a run that has lost the job must not retire keys. The cursor stays, so that a run that
      // resumes here reads the last page again and does not begin at the first.
      state = ended ? { ...after, cursor: state.cursor } : after;
      await store.save({ ...job, sweep: state });
      if (ended) {
        if (state.unreadable === 0) result.retired = await retireUnused(sweeping, state);
        await store.save({ sweep: undefined, endedAt: at });
        return { ...result, outcome: 'finished' };
      }
      at = await next();
    }
    return { ...result, outcome: 'paused' };
  } finally {
    await store.release();
  }
}

/** Reseals one page. Returns the progress after it. */
async function sweepPage(
  { store, keyring }: Sweeping,
  job: SweepJob,
  state: Sweep,
  result: SweepResult,
  now: number,
): Promise<Sweep> {
  const page = await store.page(state.cursor);
  const met = union(state.met, page.records);
  // Saved before anything is resealed: if this run ends here, the next one must not think that a key is unused.
  if (KINDS.some((kind) => met[kind].length > state.met[kind].length)) {
    await store.save({ ...job, sweep: { ...state, met } });
  }
  let unreadable = 0;
  for (const { user, factor } of page.records) {
    const outcome = factor ? await resealRecord(store, keyring, user, factor, now) : 'unreadable';
    if (outcome === 'unreadable') unreadable++;
    if (outcome === 'resealed') result.resealed++;
    result.seen++;
  }
  result.unreadable += unreadable;
  return { ...state, met, reached: now, cursor: page.cursor, unreadable: state.unreadable + unreadable };
}

async function resealRecord(
  store: SweepStore,
  keyring: Keyring,
  user: User,
  factor: Factor,
  now: number,
): Promise<'resealed' | 'left' | 'unreadable'> {
  // Without it there is nothing to be done for anybody: that ends the run.
  await keyring.current('data', now);
  try {
    const transition = await resealed(keyring, user, factor, now);
    // If somebody used it meanwhile, the next sweep sees the result.
    return transition && (await store.reseal(user, factor, transition.next)) ? 'resealed' : 'left';
  } catch (error) {
    // One missing key does not keep every other record from being resealed.
    if (error instanceof CountersignError) return 'unreadable';
    throw error;
  }
}

function newSweep(began: number): Sweep {
  return { began, reached: began, cursor: undefined, met: { data: [], 'backup-code': [] }, unreadable: 0 };
}

function union(met: Sweep['met'], records: { factor?: Factor }[]): Sweep['met'] {
  const used = records.flatMap(({ factor }) => (factor ? [keysOf(factor)] : []));
  return {
    data: [...new Set([...met.data, ...used.flatMap(({ data }) => data)])],
    'backup-code': [...new Set([...met['backup-code'], ...used.flatMap(({ backupCode }) => backupCode)])],
  };
}

/** The ids of the keys that are gone now. */
async function retireUnused({ store }: Sweeping, { began, met }: Sweep): Promise<string[]> {
  const retired: string[] = [];
  for (const kind of KINDS) {
    const unused = unusedKeys(await store.keys(kind), new Set(met[kind]), began);
    const ids = unused.map(({ id }) => id);
    if (ids.length > 0 && (await store.retire(kind, ids))) retired.push(...ids);
  }
  return retired;
}
