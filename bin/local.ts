import { appendFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { dirname, join, relative, resolve } from 'node:path';
import type { LocalJson } from '../local/local-json.ts';
import { runProgram } from './program.ts';
import { walkThrough } from './walk-through.ts';

const USAGE = `npm start -- [flags]      the whole service on this machine

  --port PORT   where it listens, on 127.0.0.1 only     (default 3000)
  --data DIR    where it keeps everything                (default .countersign)
  --fresh       forgets what was kept
  --help        this text
`;
/** All that is ever written to the data folder, beside the lock. */
const KEPT = ['assembly', 'cognito', 'dynamodb', 'identifiers.json', 'kms', 'lambda', 'local.json', 'logs'];
const startedAt = performance.now();

const program = {
  name: 'countersign',
  command: 'npm start',
  usage: USAGE,
  options: {
    port: { type: 'string', default: '3000' },
    data: { type: 'string', default: '.countersign' },
    fresh: { type: 'boolean', default: false },
  },
} as const;

await runProgram(program, (flags) => main(checked(flags)));

async function main({
  port,
  folder,
  fresh,
}: {
  port: number;
  folder: string;
  fresh: boolean;
}): Promise<undefined> {
  const stop = listenForSignals();
  await refuseTakenPort(port);
  // Loaded beside the synthesis, which is a process of its own.
  const modules = import('../local/service.ts');
  const { synthesize } = await import('../local/synth.ts');
  const assembly = join(folder, 'assembly');
  const { startService } = await modules;

  const service = await startService({
    async assembly() {
      say('Synthesizing what "cdk deploy" would deploy');
      if (fresh) for (const name of KEPT) rmSync(join(folder, name), { recursive: true, force: true });
      // A pool of its own stands for an existing one, which is not on this machine.
      await synthesize(assembly, { issuer: `http://localhost:${port}`, userPool: undefined }, stop);
      return assembly;
    },
    folder,
    port,
    onProgress: say,
    onLog(operation, line) {
      const file = join(folder, 'logs', `${operation}.log`);
      // A trigger's is in a folder of its own, as its function is.
      mkdirSync(dirname(file), { recursive: true });
      appendFileSync(file, `${line}\n`);
    },
  }).catch((error: NodeJS.ErrnoException) => {
    if (stop.aborted) process.exit(0);
    throw error.code === 'EADDRINUSE' ? new Error(portTaken(port)) : error;
  });

  const close = (): Promise<undefined> => service.close().then(() => process.exit(0));
  stop.addEventListener('abort', close);
  if (stop.aborted) return close();

  writeLocalJson(folder, service.local);
  say(`Ready after ${((performance.now() - startedAt) / 1000).toFixed(1)} s\n`);
  console.log(walkThrough(service.local, relative(process.cwd(), folder) || '.'));
}

function checked({ port, data, fresh }: { port: string; data: string; fresh: boolean }) {
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
    throw new Error(`--port takes a number from 1 to 65535, not "${port}".`);
  }
  if (data === '') throw new Error('--data takes a folder.');
  return { port: Number(port), folder: resolve(data), fresh };
}

/** Before the seconds of a synthesis. On ::1 as well, since `localhost` may mean that to a client. */
async function refuseTakenPort(port: number): Promise<void> {
  const { promise: free, resolve: done, reject } = Promise.withResolvers<void>();
  const probe = createServer()
    .once('error', reject)
    .listen(port, '127.0.0.1', () => probe.close(() => done()));
  await free.catch((error: NodeJS.ErrnoException) => {
    throw new Error(
      error.code === 'EADDRINUSE' ? portTaken(port) : `Port ${port} cannot be used: ${error.message}`,
    );
  });
  const answered = await new Promise<boolean>((told) => {
    const socket = createConnection({ port, host: '::1' }, () => told(true)).on('error', () => told(false));
    socket.once('connect', () => socket.destroy());
  });
  if (answered) throw new Error(portTaken(port));
}

function portTaken(port: number): string {
  return `Port ${port} is taken. Choose another: npm start -- --port ${port === 65_535 ? 3000 : port + 1}`;
}

/** Whole or not at all, and for the owner's eyes only. */
function writeLocalJson(folder: string, local: LocalJson): void {
  const path = join(folder, 'local.json');
  writeFileSync(`${path}.new`, `${JSON.stringify(local, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** Aborted by the first SIGINT or SIGTERM; the second one ends the program where it is. */
function listenForSignals(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(1);
      say('Stopping');
      stop.abort();
    });
  }
  return stop.signal;
}

function say(line: string): void {
  console.log(`countersign: ${line}`);
}
