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
  /** The counts that `timeFrom` reads, shared with the workers. */
  readonly shared: SharedArrayBuffer;
}

const SHIFT = 0;
const STOPPED_AT = 1;

export function createClock(): Clock {
  // Two signed 64-bit counts of milliseconds.
  const shared = new SharedArrayBuffer(16);
  const counts = new BigInt64Array(shared);
  const realNow = Date.now.bind(Date);
  const now = timeFrom(shared, realNow);
  return {
    now,
    seconds: () => Math.floor(now() / 1000),
    advance: (seconds) => void Atomics.add(counts, SHIFT, BigInt(Math.round(seconds * 1000))),
    stop: () => void Atomics.compareExchange(counts, STOPPED_AT, 0n, BigInt(realNow())),
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
