import { Worker } from 'node:worker_threads';
import { slownessOf } from '../clock.ts';
import type { FunctionError, Invocation, Report, Start } from './messages.ts';
import { workerModule } from './worker-module.ts';

export type Outcome = { ok: true; payload: string } | { ok: false; error: FunctionError };

/** One execution environment: a worker thread that works on one event at a time. */
export interface Environment {
  /** Resolves when the function's module has been loaded, or to the error if it could not. */
  started: Promise<FunctionError | undefined>;
  /** Runs one event to its end, its failure or its deadline. Never rejects. */
  run(invocation: Invocation): Promise<Outcome>;
  /** False once the thread has ended: the environment cannot be used again. */
  alive(): boolean;
  stop(): Promise<void>;
}

/** Lambda gives the init phase ten seconds ("Understanding the Lambda execution environment lifecycle"). */
const INIT_MS = 10_000;

/**
 * Starts an environment with these variables and no others.
 *
 * @param onLine each line the function writes, to stdout or stderr
 */
export function startEnvironment(options: {
  start: Start;
  variables: Record<string, string>;
  memoryMb: number;
  timeoutSeconds: number;
  onLine(line: string): void;
}): Environment {
  const worker = new Worker(workerModule(), {
    workerData: options.start,
    env: options.variables,
    argv: [],
    execArgv: [],
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: options.memoryMb },
  });
  for (const stream of [worker.stdout, worker.stderr]) readLines(stream, options.onLine);

  const slowness = slownessOf(options.start.clock);
  let alive = true;
  let requestId = '';
  let waiting: ((report: Report) => void) | undefined;
  const answer = (report: Report) => {
    const waiter = waiting;
    waiting = undefined;
    waiter?.(report);
  };
  const fail = (errorType: string, errorMessage: string) => {
    alive = false;
    const about = requestId ? `RequestId: ${requestId} Error: ` : '';
    answer({ kind: 'failed', error: { errorType, errorMessage: `${about}${errorMessage}` } });
  };
  worker.on('message', (report: Report) => answer(report));
  worker.on('error', (error: Error & { code?: string }) =>
    error.code === 'ERR_WORKER_OUT_OF_MEMORY'
      ? fail('Runtime.OutOfMemory', 'Runtime exited with error: signal: killed')
      : fail(error.name, error.message),
  );
  worker.on('exit', (code) =>
    fail(
      'Runtime.ExitError',
      code === 0
        ? 'Runtime exited without providing a reason'
        : `Runtime exited with error: exit status ${code}`,
    ),
  );

  /** Resolves to the next report, or to a failure if none comes in time. */
  function next(limitMs: number, seconds: number): Promise<Report> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        fail('Sandbox.Timedout', `Task timed out after ${seconds.toFixed(2)} seconds`);
        void worker.terminate();
      }, limitMs);
      waiting = (report) => {
        clearTimeout(timer);
        resolve(report);
      };
    });
  }

  return {
    started: next(INIT_MS * slowness, INIT_MS / 1000).then((report) =>
      report.kind === 'failed' ? report.error : undefined,
    ),
    async run(invocation) {
      requestId = invocation.requestId;
      const report = next(Math.max(1, invocation.deadline - Date.now()), options.timeoutSeconds);
      worker.postMessage(invocation);
      const reported = await report;
      if (reported.kind === 'answered') return { ok: true, payload: reported.payload };
      if (reported.kind === 'failed') return { ok: false, error: reported.error };
      throw new Error('An environment started twice.');
    },
    alive: () => alive,
    async stop() {
      alive = false;
      await worker.terminate();
    },
  };
}

function readLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
  });
}
