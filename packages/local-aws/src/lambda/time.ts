import { timeFrom } from '../clock.ts';

/**
 * Makes `Date.now()`, `new Date()` and `Date()` of this thread follow the shared clock. Timers and the monotonic clock
 * stay as they are. Returns a function for the unshifted time, in milliseconds since the epoch.
 */
export function shiftDate(clock: SharedArrayBuffer): () => number {
  const RealDate = Date;
  const realNow = RealDate.now.bind(RealDate);
  const now = timeFrom(clock, realNow);

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
