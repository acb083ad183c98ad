/**
 * Lets several operations run at once and one at a time go on: each stops before every call of the store until all others
 * have stopped too or are done, and then the next of `choices` says who goes on. The same choices, the same order.
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
