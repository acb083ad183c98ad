import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { LocalJson } from '../../local/local-json.ts';
import { withCurl } from '../support/curl.ts';
import { freePort } from '../support/free-port.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

const root = join(import.meta.dirname, '../..');
const folder = scratchFolder('local');
const data = join(folder, 'data');
const running = new Set<ChildProcess>();
after(() => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

function run(program: string, parameters: string[]): ChildProcess & { ended: Promise<Ended>; out(): string } {
  const child = spawn(process.execPath, [join(root, program), ...parameters], { cwd: root });
  running.add(child);
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (err += chunk));
  const ended = once(child, 'close').then(([code]) => {
    running.delete(child);
    return { code: code as number | null, out, err };
  });
  return Object.assign(child, { ended, out: () => out });
}

const local = (...parameters: string[]) => run('bin/local.ts', parameters).ended;
const demo = (...parameters: string[]) => run('bin/demo.ts', parameters).ended;

/** Runs `npm start`'s program until it says that it is ready. */
async function started(port: number, ...parameters: string[]) {
  const child = run('bin/local.ts', ['--port', String(port), '--data', data, ...parameters]);
  const ready = new Promise<void>((done) =>
    child.stdout?.on('data', () => child.out().includes('Ctrl-C') && done()),
  );
  await Promise.race([ready, child.ended.then(({ err }) => assert.fail(`it ended: ${err}`))]);
  return child;
}

const readLocal = () => JSON.parse(readFileSync(join(data, 'local.json'), 'utf8')) as LocalJson;
const lasting = ({ url, apiKey, users, admin }: LocalJson) => ({ url, apiKey, users, admin });

/** Asserts exit 1 and exactly one line on standard error. */
function assertRefused({ code, err }: Ended, expected: RegExp): void {
  assert.equal(code, 1);
  assert.match(err, expected);
  assert.equal(err.trim().split('\n').length, 1, err);
}

test('a wrong or unknown flag is one line and exit 1; --help prints the text and exits 0', async () => {
  assertRefused(await local('--port', 'x'), /--port takes a number from 1 to 65535, not "x"/);
  assertRefused(await local('--port', '70000'), /not "70000"/);
  assertRefused(await local('--nope'), /'--nope'/);
  assertRefused(await local('extra'), /'extra'/);
  assertRefused(await demo('--nope'), /'--nope'/);
  for (const { code, out } of [await local('--help'), await demo('--help')]) {
    assert.equal(code, 0);
    assert.match(out, /--data DIR/);
  }
});

test('the demo without a service is one line and exit 1', async () => {
  assertRefused(await demo('--data', join(folder, 'nowhere')), /Start the service with: npm start/);
});

test('it starts, shows how to use it, plays the demo, and keeps its data after kill -9', async () => {
  const port = await freePort();
  const first = await started(port);
  const before = readLocal();
  assert.equal(before.url, `http://localhost:${port}`);
  assert.equal(before.users.length, 3);
  const told = {
    cognito: ['endpoint', 'userPoolId', 'clientId'],
    dynamodb: ['endpoint', 'tableName'],
    kms: ['endpoint'],
    lambda: ['endpoint'],
    admin: ['accessKeyId', 'secretAccessKey', 'region'],
  } as const;
  for (const [part, fields] of Object.entries(told)) {
    assert.deepEqual(Object.keys(before[part as keyof typeof told]), fields);
  }
  assert.ok(before.apiKey && before.limitedApiKey && before.apiKey !== before.limitedApiKey);
  for (const user of before.users) assert.deepEqual(Object.keys(user), ['username', 'password']);
  assert.equal(statSync(join(data, 'local.json')).mode & 0o777, 0o600);
  for (const shown of [before.url, before.apiKey, ...before.users.map(({ password }) => password)]) {
    assert.ok(first.out().includes(shown), shown);
  }

  assertRefused(await local('--port', String(port), '--data', join(folder, 'other')), /Port \d+ is taken/);
  assertRefused(await local('--port', String(await freePort()), '--data', data), /is in use by process \d+/);

  // The lines between the two texts, pasted as a newcomer would.
  const lines = first.out().split('\n');
  const pasted = lines.slice(
    lines.findIndex((line) => line.startsWith('cd ')),
    lines.findLastIndex((line) => line.startsWith('post ')) + 1,
  );
  const bash = spawn('bash', [], { cwd: folder, env: withCurl(folder) });
  let answered = '';
  bash.stdout.on('data', (chunk) => (answered += chunk));
  bash.stdin.end(pasted.join('\n'));
  await once(bash, 'close');
  assert.match(answered, /"backupCodes":\["/);
  assert.match(answered, /"status":"authenticated","accessToken":"[^"]+".*"method":"totp"/);

  const played = await demo('--data', data);
  assert.equal(played.code, 0, played.out + played.err);
  assert.match(played.out, /ada has a second factor already/);
  assert.match(played.out, /Every step did what it should/);

  for (const operation of ['login', 'verify-login', 'cognito/pre-token-generation']) {
    const [line] = readFileSync(join(data, 'logs', `${operation}.log`), 'utf8').split('\n');
    assert.equal(JSON.parse(line ?? '').operation, operation);
  }

  first.kill('SIGKILL');
  await first.ended;
  const second = await started(port);
  assert.deepEqual(lasting(readLocal()), lasting(before));
  const [ada] = before.users;
  const response = await fetch(`${before.url}/v1/auth/login`, {
    method: 'POST',
    headers: { 'x-api-key': before.apiKey, 'content-type': 'application/json' },
    body: JSON.stringify(ada),
  });
  assert.equal(((await response.json()) as { status: string }).status, 'challenge');

  second.kill('SIGTERM');
  assert.equal((await second.ended).code, 0);
  const third = await started(port, '--fresh');
  assert.notDeepEqual(lasting(readLocal()), lasting(before));
  third.kill('SIGINT');
  assert.equal((await third.ended).code, 0);
});

test('a signal during the start stops it cleanly', async () => {
  const child = run('bin/local.ts', ['--port', String(await freePort()), '--data', join(folder, 'early')]);
  await once(child.stdout ?? assert.fail(), 'data');
  child.kill('SIGTERM');
  const { code, err } = await child.ended;
  assert.deepEqual([code, err], [0, '']);
});

test('another version of Node.js is refused in one line, before it loads TypeScript', async () => {
  // A program may overwrite its own version: modules loaded afterwards read the new one.
  const pretend = 'data:text/javascript,Object.defineProperty(process.versions,"node",{value:"20.1.0"})';
  const child = spawn(
    process.execPath,
    ['--import', pretend, '--import', './bin/node-version.mjs', 'bin/local.ts'],
    {
      cwd: root,
    },
  );
  let err = '';
  child.stderr.on('data', (chunk) => (err += chunk));
  const [code] = await once(child, 'close');
  assertRefused({ code, out: '', err }, /This needs Node\.js 24, the version Lambda runs/);
});
