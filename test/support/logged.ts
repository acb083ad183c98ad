/** Returns the result of `work`, and the lines that it logged in this process. */
export async function logged<T>(work: () => Promise<T>): Promise<{ done: T; log: string }> {
  const lines: string[] = [];
  const write = process.stdout.write;
  // The test runner writes to the same stream, so this captures only lines of the log.
  process.stdout.write = ((chunk: string, ...rest: []) => {
    if (typeof chunk !== 'string' || !chunk.startsWith('{"level"'))
      return write.call(process.stdout, chunk, ...rest);
    lines.push(chunk);
    return true;
  }) as typeof write;
  try {
    return { done: await work(), log: lines.join('') };
  } finally {
    process.stdout.write = write;
  }
}
