/** One JSON line to standard output, which Lambda hands to CloudWatch Logs. The caller says nothing secret. */
export function writeLog(entry: { level: 'info' | 'error' } & Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(entry)}\n`);
}
