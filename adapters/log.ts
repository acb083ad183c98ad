import { CountersignError } from '../core/error.ts';
import { callOf } from './aws.ts';

/** Writes one JSON line to standard output, which Lambda sends to CloudWatch Logs. Pass no secret. */
export function writeLog(entry: { level: 'info' | 'error' } & Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(entry)}\n`);
}

/** Logs a defect or a failed dependency, in a line of its own. Logs nothing for a mere refusal. */
export function logFault(ids: Record<string, unknown>, error: Error | null | undefined): void {
  if (error instanceof CountersignError && !causeOf(error)) return;
  writeLog({ level: 'error', ...ids, ...defectOf(error) });
}

/**
 * Returns what the log may contain of an error: its code and its cause, or its name and where it was thrown.
 * Logs omit error messages because they may contain user input.
 */
function defectOf(error: Error | null | undefined): Record<string, unknown> {
  if (error instanceof CountersignError) return { code: error.code, cause: causeOf(error) };
  const frames = error?.stack?.split('\n').filter((line) => /^\s+at /.test(line));
  return { error: error?.name, at: frames?.slice(0, 8) };
}

/** Returns which call to which service failed, and how: a missing grant, throttling or a timeout. */
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
