/**
 * The time of this local AWS. Every embedded server and every function reads the same one: the workers get
 * `offset` and shift their own `Date` by it, so that a test sets the time instead of waiting for it.
 */
export interface Clock {
  /** Milliseconds since the epoch, shifted by what `advance` has added. */
  now(): number;
  /** Whole seconds since the epoch (NumericDate, RFC 7519 §2). */
  seconds(): number;
  /** Moves the time forward for everything that runs here. */
  advance(seconds: number): void;
  /** One signed 64-bit count of milliseconds, shared with the workers. */
  readonly offset: SharedArrayBuffer;
}

export function createClock(): Clock {
  const offset = new SharedArrayBuffer(8);
  const shift = new BigInt64Array(offset);
  const now = () => Date.now() + Number(Atomics.load(shift, 0));
  return {
    now,
    seconds: () => Math.floor(now() / 1000),
    advance: (seconds) => void Atomics.add(shift, 0, BigInt(Math.round(seconds * 1000))),
    offset,
  };
}
