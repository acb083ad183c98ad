// Runs the commands of docs/keys.md in bash, unchanged, against the service of this test.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { decodeProtectedHeader } from 'jose';
import { routes } from '../../functions/routes.ts';
import { awsCli } from '../support/aws-cli.ts';
import { assertProblem, clientOf, signIn } from '../support/client.ts';
import { published } from '../support/keyring-items.ts';
import { createPerson } from '../support/people.ts';
import { serviceForTests } from '../support/service.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/keys.md'), 'utf8');
const blocks = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block);
const [names = assert.fail(), sweep = assert.fail(), withdraw = assert.fail(), afresh = assert.fail()] =
  blocks.filter((block) => block.includes('aws '));

const service = await serviceForTests();
const client = clientOf(service);
const programs = await awsCli(service);

/** Runs these commands in one shell, and returns their output. */
async function run(...commands: string[]): Promise<string> {
  const env = { PATH: `${programs}:${process.env['PATH']}` };
  const script = ['set -euo pipefail', ...commands].join('\n');
  return (await promisify(execFile)('bash', ['-c', script], { env })).stdout;
}

test('a withdrawn key stops at once, and its tokens are refused, if every function is restarted', async () => {
  const person = await createPerson(service);
  const stolen = await signIn(client, person);
  const { kid = assert.fail() } = decodeProtectedHeader(stolen.access);
  const accepted = async () => (await client.get('/v1/authenticators', stolen.access)).status === 200;
  assert.ok(await accepted());
  assert.deepEqual(await published(service), [kid]);

  assert.match(
    await run(names, withdraw.replace('KID', kid)),
    /^\{"withdrawn":true\}\{[^}]*"StatusCode": 200/m,
  );
  // Containers that cached the key still accept it, for up to five minutes.
  assert.ok(await accepted());

  const changed = await run(names, afresh);
  assert.equal(changed.trim().split('\n').length, Object.keys(routes).length, 'one line for each function');
  assertProblem(await client.get('/v1/authenticators', stolen.access), 401, 'token_invalid');
  const refreshed = await client.post('/v1/auth/refresh', { refreshToken: stolen.refresh });
  assertProblem(refreshed, 401, 'refresh_token_invalid');
  const [replacement, ...others] = await published(service);
  assert.deepEqual(others, []);
  assert.notEqual(replacement, kid);
  const { access } = await signIn(client, person);
  assert.equal(decodeProtectedHeader(access).kid, replacement);
  assert.equal((await client.get('/v1/authenticators', access)).status, 200);
});

test('withdrawing an unknown key answers false, and a misspelt withdrawal is an error', async () => {
  const before = await published(service);
  assert.match(await run(names, withdraw), /^\{"withdrawn":false\}/m);
  const misspelt = await run(names, withdraw.replace('"withdraw"', '"withdrawn"'));
  assert.match(misspelt, /"FunctionError": "Unhandled"/);
  assert.deepEqual(await published(service), before);
});

test('the command for the sweep runs it and prints what it did', async () => {
  assert.match(await run(names, sweep), /^\{"outcome":"idle","seen":0,/m);
});

test('this file runs every command for the AWS CLI on the page', () => {
  assert.equal(blocks.filter((block) => block.includes('aws ')).length, 4);
  assert.equal(page.replaceAll(/^```sh\n.*?^```$/gms, '').match(/\baws (lambda|cloudformation)\b/), null);
});
