import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { after, test } from 'node:test';
import { clientOf, codeAt } from '../support/client.ts';
import { withCurl } from '../support/curl.ts';
import { serviceForTests } from '../support/service.ts';
import { nextStep } from '../support/ways.ts';

const service = await serviceForTests();
const folder = mkdtempSync(join(tmpdir(), 'countersign-readme-'));
after(() => rmSync(folder, { recursive: true }));
const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');

/** Returns the fenced block that contains this text, unchanged except for the port of this test's service. */
function block(held: string): string {
  const found = [...readme.matchAll(/^```sh\n(.*?)^```$/gms)].find(([, text = '']) => text.includes(held));
  return (found?.[1] ?? assert.fail(held)).replaceAll('http://localhost:3000', service.url);
}

test('the README’s commands, pasted into bash unchanged, enroll a phone and sign in with it', {
  timeout: 60_000,
}, async () => {
  // `npm start` would have written this file.
  mkdirSync(join(folder, '.countersign'));
  writeFileSync(join(folder, '.countersign/local.json'), JSON.stringify(service.local));
  // `read` shows its prompt on a terminal only, so this one prints a line that the test can answer.
  const asking = `read() { echo; echo "asks: $2"; builtin read -r "$3"; }`;
  writeFileSync(join(folder, 'commands'), `set -e\n${asking}\n${block('# 1. Sign in')}`);
  const bash = spawn('bash', ['commands'], { cwd: folder, env: withCurl(folder) });
  let complaints = '';
  bash.stderr.on('data', (chunk) => (complaints += chunk));

  const printed: string[] = [];
  for await (const line of createInterface(bash.stdout)) {
    if (line) printed.push(line);
    if (!line.startsWith('asks: ')) continue;
    nextStep(service);
    const { secret } = JSON.parse(readFileSync(join(folder, 'enrollment.json'), 'utf8'));
    bash.stdin.write(`${codeAt(secret, service.clock.seconds())}\n`);
  }
  if (bash.exitCode === null) await once(bash, 'close');
  assert.deepEqual([bash.exitCode, complaints], [0, '']);
  assert.match(readFileSync(join(folder, 'qr.svg'), 'utf8'), /^<svg /);
  const [asked, confirmed = '', askedAgain, signedIn = '', ...more] = printed;
  assert.deepEqual([asked, askedAgain, more], ['asks: Code: ', 'asks: Next code: ', []]);
  assert.match(confirmed, /^\{"authenticatorId":".*"backupCodes":\["/);
  assert.match(signedIn, /^\{"status":"authenticated","accessToken":"/);
  const [{ username = '', password = '' } = {}] = service.local.users;
  const again = await clientOf(service).post('/v1/auth/login', { username, password });
  assert.equal(again.body['status'], 'challenge');
});
