import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createClock } from '../../src/clock.ts';
import { type InvokeResult, startRuntime } from '../../src/lambda/runtime.ts';
import { scratchFolder } from '../../testing/assembly.ts';

// Inside the checkout, where a node_modules folder lies above.
const root = scratchFolder('lambda');
const clock = createClock();
const document = createServer((request, response) => response.end(`served ${request.url}`));
await new Promise<void>((done) => document.listen(0, '127.0.0.1', done));
const endpoint = `http://127.0.0.1:${(document.address() as AddressInfo).port}`;
const lines: [string, string][] = [];

const sources: Record<string, string> = {
  echo: `exports.handler = async (event, context) => ({ event, context, left: context.getRemainingTimeInMillis() });`,
  variables: `exports.handler = async () => ({ ...process.env });`,
  date: `exports.handler = async () => [Date.now(), new Date().getTime(), Date.parse(Date()), new Date(5).getTime(), new Date() instanceof Date, new Date(0).constructor === Date];`,
  counter: `let count = 0; exports.handler = async () => ++count;`,
  slow: `exports.handler = () => new Promise(() => {});`,
  spin: `exports.handler = () => { for (;;); };`,
  throws: `exports.handler = async () => { throw new RangeError('too far'); };`,
  text: `exports.handler = async () => { throw 'plain'; };`,
  exits: `exports.handler = () => process.exit(3);`,
  crashes: `exports.handler = () => new Promise(() => setTimeout(() => { throw new TypeError('later'); }));`,
  rejects: `exports.handler = () => new Promise(() => void Promise.reject(new Error('nobody waits')));`,
  broken: `throw new Error('at start');`,
  missing: `require('jose'); exports.handler = async () => 1;`,
  nothing: `exports.other = 1;`,
  callback: `exports.handler = (event, context, done) => done(null, 1);`,
  writes: `exports.handler = async () => { console.log('one\\ntwo'); console.error('three'); };`,
  lasting: `let count = 0; exports.handler = async () => { await new Promise((done) => setTimeout(done, 50)); return ++count; };`,
  overlap: `let busy = 0; exports.handler = async () => { const seen = ++busy; await new Promise((r) => setImmediate(r)); busy--; return seen; };`,
  reaches: `const https = require('node:https');
    exports.handler = async (url) => {
      const viaFetch = await fetch(url).then((r) => r.text(), (e) => String(e.cause?.code ?? e));
      const viaGet = await new Promise((done) => https.get(url, (r) => r.setEncoding('utf8').on('data', done)).on('error', (e) => done(e.code)));
      return [viaFetch, viaGet];
    };`,
};

const lambda = startRuntime({
  functions: Object.entries(sources).map(([name, source]) => {
    const folder = join(root, name);
    mkdirSync(folder);
    writeFileSync(join(folder, 'index.js'), source);
    // As every bundle has one (lib/bundle.ts).
    writeFileSync(join(folder, 'package.json'), '{"type":"commonjs"}');
    return {
      name,
      arn: `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
      folder,
      handler: 'index.handler',
      timeoutSeconds: name === 'slow' || name === 'spin' ? 1 : 10,
      memoryMb: 128,
      variables: { TABLE_NAME: 'the-table' },
      credentials: { accessKeyId: 'ASIALOCAL', secretAccessKey: 'secret', sessionToken: 'token' },
      logGroup: `/aws/lambda/${name}`,
    };
  }),
  clock,
  region: 'us-east-1',
  endpoints: { AWS_ENDPOINT_URL_KMS: 'http://127.0.0.1:9' },
  hosts: { 'cognito-idp.us-east-1.amazonaws.com': endpoint },
  environments: 2,
  onLine: (name, line) => lines.push([name, line]),
});
after(async () => {
  await lambda.close();
  document.close();
  rmSync(root, { recursive: true });
});

const invoke = (name: string, event: unknown = {}) =>
  lambda.invoke(`arn:aws:lambda:us-east-1:000000000000:function:${name}`, event);
async function payload(name: string, event?: unknown): Promise<unknown> {
  const result = await invoke(name, event);
  assert.ok(result.ok, JSON.stringify(result));
  return result.payload;
}
function errorOf(result: InvokeResult) {
  assert.ok(!result.ok);
  return [result.error.errorType, result.error.errorMessage];
}

test('a handler gets the event and the context', async () => {
  const { event, context, left } = (await payload('echo', { a: [1] })) as {
    event: unknown;
    context: Record<string, unknown>;
    left: number;
  };
  assert.deepEqual(event, { a: [1] });
  assert.equal(context['functionName'], 'echo');
  assert.match(String(context['awsRequestId']), /^[0-9a-f-]{36}$/);
  assert.ok(left > 0 && left <= 10_000);
});

test('a version of a function is the function; an unknown one is an error', async () => {
  assert.ok((await lambda.invoke('arn:aws:lambda:us-east-1:000000000000:function:echo:1', {})).ok);
  await assert.rejects(invoke('nobody'), /Function not found/);
});

test('once a function is renewed its old environments end what they are at, and take no more', async () => {
  assert.deepEqual([await payload('lasting'), await payload('lasting')], [1, 2]);
  const underway = payload('lasting');
  // Both places are taken: these two wait.
  const [beside, waiting] = [payload('lasting'), payload('lasting')];
  lambda.renew('arn:aws:lambda:us-east-1:000000000000:function:lasting');
  assert.deepEqual(await Promise.all([underway, beside, waiting]), [3, 1, 1]);
  assert.equal(await payload('lasting'), 2);
  assert.throws(() => lambda.renew('arn:aws:lambda:us-east-1:000000000000:function:nobody'), /not found/);
});

test('an environment holds what Lambda and the template say, and nothing of this machine', async () => {
  const variables = (await payload('variables')) as Record<string, string>;
  assert.equal(variables['TABLE_NAME'], 'the-table');
  assert.equal(variables['AWS_ACCESS_KEY_ID'], 'ASIALOCAL');
  assert.equal(variables['AWS_ENDPOINT_URL_KMS'], 'http://127.0.0.1:9');
  assert.equal(variables['PATH'], undefined);
  assert.notEqual(variables['HOME'], process.env['HOME']);
});

test("the time in a function is the clock's, and moves with it", async () => {
  clock.advance(86_400);
  const [now, made, printed, ...rest] = (await payload('date')) as number[];
  for (const time of [now, made, printed]) assert.ok(Math.abs(Number(time) - clock.now()) < 5000);
  assert.deepEqual(rest, [5, true, true]);
  clock.advance(-86_400);
  const [back] = (await payload('date')) as number[];
  assert.ok(Math.abs(Number(back) - Date.now()) < 5000);
});

test('an environment is used again, for one event at a time', async () => {
  assert.equal(await payload('counter'), 1);
  assert.equal(await payload('counter'), 2);
  const seen = await Promise.all(Array.from({ length: 12 }, () => payload('overlap')));
  assert.deepEqual(new Set(seen), new Set([1]));
});

test('events beyond the environments wait, and all are answered', async () => {
  const counts = (await Promise.all(Array.from({ length: 9 }, () => payload('counter')))) as number[];
  assert.equal(counts.length, 9);
  assert.ok(Math.max(...counts) >= 5, 'at most two environments shared nine events');
});

test('a function that does not end in time is stopped, even in a loop', async () => {
  for (const name of ['slow', 'spin']) {
    const [type, message] = errorOf(await invoke(name));
    assert.equal(type, 'Sandbox.Timedout');
    assert.match(String(message), /^RequestId: [0-9a-f-]{36} Error: Task timed out after 1\.00 seconds$/);
  }
});

test('errors are reported as Lambda reports them', async () => {
  assert.deepEqual(errorOf(await invoke('throws')), ['RangeError', 'too far']);
  assert.deepEqual(errorOf(await invoke('text')), ['string', 'plain']);
  assert.deepEqual(errorOf(await invoke('broken')), ['Error', 'at start']);
  assert.deepEqual(errorOf(await invoke('nothing')), [
    'Runtime.HandlerNotFound',
    'index.handler is undefined or not exported',
  ]);
  assert.equal(errorOf(await invoke('callback'))[0], 'Runtime.CallbackHandlerDeprecated');
});

test('a bundle that lacks a module does not find it in this checkout', async () => {
  const [type, message] = errorOf(await invoke('missing'));
  assert.equal(type, 'Runtime.ImportModuleError');
  assert.match(String(message), /Cannot find module 'jose'/);
});

test('a crash fails its own event only', async () => {
  const [type, message] = errorOf(await invoke('exits'));
  assert.equal(type, 'Runtime.ExitError');
  assert.match(String(message), /exit status 3$/);
  assert.deepEqual(errorOf(await invoke('crashes')), ['TypeError', 'later']);
  assert.equal(errorOf(await invoke('rejects'))[0], 'Runtime.UnhandledPromiseRejection');
  assert.equal(errorOf(await invoke('exits'))[0], 'Runtime.ExitError');
});

test('what a function writes comes out line by line', async () => {
  assert.equal(await payload('writes'), null);
  await payload('echo');
  const deadline = Date.now() + 5000;
  const written = () => lines.filter(([name]) => name === 'writes').map(([, line]) => line);
  while (written().length < 3 && Date.now() < deadline) await new Promise((done) => setImmediate(done));
  assert.deepEqual(written().toSorted(), ['one', 'three', 'two']);
});

test("only loopback is reachable, and Cognito's host is served there", async () => {
  const jwks = 'https://cognito-idp.us-east-1.amazonaws.com/pool/.well-known/jwks.json';
  const served = 'served /pool/.well-known/jwks.json';
  assert.deepEqual(await payload('reaches', jwks), [served, served]);
  assert.deepEqual(await payload('reaches', 'https://192.0.2.1/'), ['ECONNREFUSED', 'ECONNREFUSED']);
});
