// kill -9 under load, and started again: nothing that was answered is lost, and the service goes on.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { createClock } from '@countersign/local-aws/clock';
import { factorOf } from '../../adapters/record-item.ts';
import type { LocalJson } from '../../local/local-json.ts';
import { type Answer, clientOf, codeAt, text } from '../support/client.ts';
import { freePort } from '../support/free-port.ts';
import { createPerson } from '../support/people.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { storedItem } from '../support/stored.ts';
import { busyClient, type Known } from './clients.ts';
import { storeOf } from './stored.ts';

const ROUNDS = 3;
const CLIENTS = 4;
/** Changes that are answered before the service is killed, in the middle of others. */
const ANSWERED = 30;

const folder = scratchFolder('kill');
const port = await freePort();
let running: ChildProcess | undefined;
after(() => {
  running?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** Starts what `npm start` starts, until it is ready. */
async function start() {
  const root = join(import.meta.dirname, '../..');
  const child = spawn(process.execPath, ['bin/local.ts', '--port', String(port), '--data', folder], {
    cwd: root,
  });
  running = child;
  let printed = '';
  child.stderr.on('data', (chunk) => (printed += chunk));
  const ready = new Promise<void>((done) => {
    child.stdout.on('data', (chunk) => {
      printed += chunk;
      if (printed.includes('Ctrl-C')) done();
    });
  });
  await Promise.race([ready, once(child, 'exit').then(() => assert.fail(`it ended: ${printed}`))]);
  const local = JSON.parse(readFileSync(join(folder, 'local.json'), 'utf8')) as LocalJson;
  const reached = { local, url: local.url, clock: createClock() };
  /** In another process it is known by what it leaves in the table. */
  const eventsDelivered = async (sub: string) => {
    while (!(await storedItem(reached, `USER#users#${sub}`)));
  };
  const service = { ...reached, eventsDelivered };
  const kill = async () => {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    assert.deepEqual(await ended, [null, 'SIGKILL']);
  };
  return { service, client: clientOf(service), kill };
}
type Running = Awaited<ReturnType<typeof start>>;

/** Several clients at once; the kill comes with an answer, while those of the others are under way. */
async function loadUntilKilled({ service, client, kill }: Running): Promise<Known[]> {
  let answered = 0;
  let killed: Promise<void> | undefined;
  const acknowledged = () => {
    if (++answered === ANSWERED) killed = kill();
  };
  const clients = Array.from({ length: CLIENTS }, () =>
    busyClient(client, () => createPerson(service), acknowledged),
  );
  const people = (await Promise.all(clients)).flat();
  await killed;
  return people;
}

/** What is stored, held against what was answered; whatever was not may have happened or not. */
async function assertStored({ service }: Running, people: Known[]): Promise<void> {
  const store = storeOf(service);
  for (const known of people.filter(({ backupCodes }) => backupCodes)) {
    const item = await store.read(`USER#users#${known.sub}`);
    const { authenticators, backupCodes, failures } = factorOf(item ?? assert.fail('the record is lost'));
    assert.equal(failures, 0);
    assert.equal(authenticators.length, 1);
    assert.ok((authenticators[0]?.lastStep ?? 0) >= Math.max(...known.steps), 'an accepted code is spent');
    const left = known.backupCodes?.length ?? 0;
    const possible = [left];
    if (known.unanswered === 'backupCode') possible.push(left - 1);
    if (known.unanswered === 'rotate') possible.push(10);
    assert.ok(
      possible.includes(backupCodes?.digests.length ?? 0),
      `${backupCodes?.digests.length} of ${left}`,
    );
  }
  store.close();
}

/** The same as a client sees it, for somebody whose last change was answered. */
async function assertGoesOn({ client }: Running, known: Known): Promise<void> {
  const { username, password, secret, backupCodes, usedBackupCodes, deadBackupCodes } = known;
  const refresh = (refreshToken?: string) => client.post('/v1/auth/refresh', { refreshToken });
  if (known.unanswered === undefined) {
    assert.equal((await unhurried(() => refresh(known.refreshToken))).status, 200, 'the session goes on');
    for (const used of known.usedRefreshTokens) {
      assert.equal((await unhurried(() => refresh(used))).status, 401, 'a refresh token works once');
    }
  }
  const challengeToken = text(
    await unhurried(() => client.post('/v1/auth/login', { username, password })),
    'challengeToken',
  );
  const verify = (proof: Record<string, string>) =>
    unhurried(() => client.post('/v1/auth/verify', { challengeToken, ...proof }));
  const spent = [
    { code: codeAt(secret ?? assert.fail(), Math.max(...known.steps) * 30) },
    ...usedBackupCodes.slice(0, 1).map((backupCode) => ({ backupCode })),
    ...deadBackupCodes.slice(0, 1).map((backupCode) => ({ backupCode })),
  ];
  for (const proof of spent) {
    assert.equal((await verify(proof)).body['code'], 'code_rejected', 'what was used stays used');
  }
  if (known.unanswered === 'backupCode' || known.unanswered === 'rotate') return;
  const [backupCode = ''] = backupCodes ?? [];
  assert.equal((await verify({ backupCode })).status, 200, 'what was not used stays good');
}

/** The usage plan's own 429 is waited out. */
async function unhurried(call: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    const answer = await call();
    if (answer.status !== 429 || answer.body['code'] === 'too_many_attempts') return answer;
    await setTimeout(100);
  }
}

test('killed under load, and started again: everything that was answered is there, every time', async (t) => {
  let service = await start();
  for (let round = 1; round <= ROUNDS; round++) {
    const begun = performance.now();
    const people = await loadUntilKilled(service);
    const loaded = performance.now();
    service = await start();
    const again = performance.now();
    await assertStored(service, people);
    const enrolled = people.filter(({ backupCodes }) => backupCodes);
    assert.ok(enrolled.length >= CLIENTS, 'somebody was enrolled');
    await Promise.all(enrolled.slice(-CLIENTS).map((known) => assertGoesOn(service, known)));
    const ms = [loaded - begun, again - loaded, performance.now() - again].map(Math.round).join(', ');
    const open = people.map(({ unanswered }) => unanswered).filter(Boolean);
    t.diagnostic(
      `round ${round}: ${people.length} people, unanswered: ${open}; load, start, checks: ${ms} ms`,
    );
  }
  await service.kill();
});
