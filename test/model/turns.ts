/**
 * Runs several operations concurrently, but lets only one continue at a time. Each waits before every call of
 * the store until all others wait too or are done. The next of `choices` then picks the one that continues.
 * The same choices always give the same order.
 */
export function createTurns(count: number, choices: readonly number[]) {
  const waiting = new Map<number, () => void>();
  let running = count;
  let chosen = 0;

  function next(): void {
    if (running > 0 || waiting.size === 0) return;
    const indices = [...waiting.keys()].toSorted((a, b) => a - b);
    const index = indices[(choices[chosen++] ?? 0) % indices.length] ?? 0;
    const go = waiting.get(index);
    waiting.delete(index);
    running++;
    go?.();
  }
  const stopped = () => {
    running--;
    next();
  };

  return async <T>(index: number, work: (turn: () => Promise<void>) => Promise<T>): Promise<T> => {
    const turn = () =>
      new Promise<void>((go) => {
        waiting.set(index, go);
        stopped();
      });
    try {
      return await work(turn);
    } finally {
      stopped();
    }
  };
}
