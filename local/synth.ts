import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

/**
 * Synthesizes the CDK app into `folder`, which is emptied first: what `cdk synth` does, without the CLI and the
 * validation that only a deployment needs.
 *
 * @param overrides take the place of the same settings of the configuration in cdk.json, one level deep
 * @param stop ends it early, with an AbortError
 * @throws Error with what the app printed, if it failed
 */
export async function synthesize(
  folder: string,
  overrides: Record<string, unknown>,
  stop?: AbortSignal,
): Promise<void> {
  const { context } = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8')) as {
    context: Record<string, unknown>;
  };
  const countersign = { ...(context['countersign'] as Record<string, unknown> | undefined), ...overrides };
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });

  const app = spawn(process.execPath, [join(ROOT, 'bin/countersign.ts')], {
    cwd: ROOT,
    env: {
      ...process.env,
      CDK_OUTDIR: folder,
      CDK_CONTEXT_JSON: JSON.stringify({ ...context, countersign }),
      CDK_VALIDATION: 'false',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(stop ? { signal: stop } : {}),
  });
  let printed = '';
  app.stdout.on('data', (chunk) => (printed += chunk));
  app.stderr.on('data', (chunk) => (printed += chunk));
  const code = await new Promise<number | null>((done, failed) => app.on('error', failed).on('close', done));
  if (code !== 0) throw new Error(`The CDK app could not be synthesized.\n${complaint(printed)}`);
}

/** The error's own text out of what Node.js prints around it, or everything if there is no such error. */
function complaint(printed: string): string {
  const [, message] = /^\w*Error: (.+?)\n {4}at /ms.exec(printed) ?? [];
  return (message ?? printed).trim();
}
