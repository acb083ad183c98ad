/** The one clock: whole seconds since the epoch. Read once an operation, by the adapter, and handed down. */
export function secondsNow(): number {
  return Math.floor(Date.now() / 1000);
}
