import { CountersignError } from '../core/error.ts';
import { callOf } from './aws.ts';

/** One JSON line to standard output, which Lambda hands to CloudWatch Logs. The caller says nothing secret. */
export function writeLog(entry: { level: 'info' | 'error' } & Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(entry)}\n`);
}

/** What went wrong, in a line of its own, where it is more than a refusal: a defect, or a dependency that failed. */
export function logFault(ids: Record<string, unknown>, error: Error | null | undefined): void {
  if (error instanceof CountersignError && !causeOf(error)) return;
  writeLog({ level: 'error', ...ids, ...defectOf(error) });
}

/**
 * What may be written of an error: its code and what a dependency failed with, or its name and where it was thrown. Texts
 * may hold what was sent, so they are left out.
 */
function defectOf(error: Error | null | undefined): Record<string, unknown> {
  if (error instanceof CountersignError) return { code: error.code, cause: causeOf(error) };
  const frames = error?.stack?.split('\n').filter((line) => /^\s+at /.test(line));
  return { error: error?.name, at: frames?.slice(0, 8) };
}

/** Which call to which service failed, and how: a missing grant, throttling and a time-out are to be told apart. */
function causeOf({ cause }: CountersignError): Record<string, unknown> | undefined {
  if (cause instanceof CountersignError) return causeOf(cause);
  if (!(cause instanceof Error)) return undefined;
  const { $metadata } = cause as Error & { $metadata?: { httpStatusCode?: number; requestId?: string } };
  return {
    error: cause.name,
    call: callOf(cause),
    status: $metadata?.httpStatusCode,
    awsRequestId: $metadata?.requestId,
  };
}
