/**
 * The time of every embedded server and every function. The workers receive `shared` and shift their own `Date` by it,
 * so a test sets the time instead of waiting.
 */
export interface Clock {
  /** Milliseconds since the epoch, shifted by what `advance` has added. */
  now(): number;
  /** Whole seconds since the epoch (NumericDate, RFC 7519 §2). */
  seconds(): number;
  /** Moves the time forward for everything that runs here. */
  advance(seconds: number): void;
  /** Stops the time: only `advance` moves it from now on. */
  stop(): void;
  /**
   * How many times longer than in AWS everything that runs here may take, because this machine is slower or busy. It
   * stretches time-outs, Lambda's and the functions' own. It does not change the time.
   */
  readonly slowness: number;
  /** The counts that `timeFrom` reads, shared with the workers. */
  readonly shared: SharedArrayBuffer;
}

const SHIFT = 0;
const STOPPED_AT = 1;
const SLOWNESS = 2;

/** Returns a clock that shows the machine's time. `slowness` is a whole number, by default 1. */
export function createClock({ slowness = 1 }: { slowness?: number } = {}): Clock {
  // Two signed 64-bit counts of milliseconds, and the slowness.
  const shared = new SharedArrayBuffer(24);
  const counts = new BigInt64Array(shared);
  counts[SLOWNESS] = BigInt(slowness);
  const realNow = Date.now.bind(Date);
  const now = timeFrom(shared, realNow);
  return {
    now,
    seconds: () => Math.floor(now() / 1000),
    advance: (seconds) => void Atomics.add(counts, SHIFT, BigInt(Math.round(seconds * 1000))),
    stop: () => void Atomics.compareExchange(counts, STOPPED_AT, 0n, BigInt(realNow())),
    slowness,
    shared,
  };
}

/** Tells the time of the clock that shares these counts, in milliseconds since the epoch. */
export function timeFrom(shared: SharedArrayBuffer, realNow: () => number): () => number {
  const counts = new BigInt64Array(shared);
  return () => {
    const stoppedAt = Number(Atomics.load(counts, STOPPED_AT));
    return (stoppedAt || realNow()) + Number(Atomics.load(counts, SHIFT));
  };
}

/** Returns the slowness of the clock that shares these counts. */
export function slownessOf(shared: SharedArrayBuffer): number {
  return Number(new BigInt64Array(shared)[SLOWNESS]);
}
