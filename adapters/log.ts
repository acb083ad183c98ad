import { CountersignError } from '../core/error.ts';

/** One JSON line to standard output, which Lambda hands to CloudWatch Logs. The caller says nothing secret. */
export function writeLog(entry: { level: 'info' | 'error' } & Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(entry)}\n`);
}

/**
 * What may be written of an error: its code, or its name and where it was thrown. Its text may hold what was sent, so it is
 * left out; and so is its cause.
 */
export function defectOf(error: Error | null | undefined): Record<string, unknown> {
  if (error instanceof CountersignError) return { code: error.code };
  const frames = error?.stack?.split('\n').filter((line) => /^\s+at /.test(line));
  return { error: error?.name, at: frames?.slice(0, 8) };
}
