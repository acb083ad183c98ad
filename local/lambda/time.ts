/**
 * Shifts this thread's `Date` by the shared offset, read anew each time: `Date.now()`, `new Date()` and `Date()`.
 * Timers and the monotonic clock stay as they are. Returns the unshifted time, in milliseconds since the epoch.
 */
export function shiftDate(offset: SharedArrayBuffer): () => number {
  const shift = new BigInt64Array(offset);
  const RealDate = Date;
  const realNow = RealDate.now.bind(RealDate);
  const now = () => realNow() + Number(Atomics.load(shift, 0));

  const ShiftedDate: DateConstructor = new Proxy(RealDate, {
    construct(target, given: unknown[], newTarget) {
      return Reflect.construct(
        target,
        given.length === 0 ? [now()] : given,
        newTarget === ShiftedDate ? target : newTarget,
      );
    },
    apply: () => new RealDate(now()).toString(),
    get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
  });
  RealDate.prototype.constructor = ShiftedDate;
  globalThis.Date = ShiftedDate;
  return realNow;
}
