import { Socket } from 'node:net';
import timers from 'node:timers';
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

/** Shorter timers are pauses, as between two attempts; from here on they are limits. In milliseconds. */
const LIMITS_FROM = 300;

/** Stretches this thread's time-outs, those of sockets too, so that a slow or busy machine does not look like a service that hangs. */
export function stretchTimeouts(slowness: number): void {
  if (slowness === 1) return;
  const stretched = (ms: number | undefined) => (ms !== undefined && ms >= LIMITS_FROM ? ms * slowness : ms);
  globalThis.setTimeout = new Proxy(globalThis.setTimeout, {
    apply: (start, self, [run, ms, ...given]) => Reflect.apply(start, self, [run, stretched(ms), ...given]),
  });
  timers.setTimeout = globalThis.setTimeout;
  const { timeout } = AbortSignal;
  AbortSignal.timeout = (ms) => timeout.call(AbortSignal, stretched(ms) ?? ms);
  const { setTimeout: limit } = Socket.prototype;
  Socket.prototype.setTimeout = function setTimeout(this: Socket, ms, whenIdle) {
    return limit.call(this, stretched(ms) ?? ms, whenIdle);
  };
}
