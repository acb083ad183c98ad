import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { LocalJson } from '../local/local-json.ts';
import { addAccount } from './authenticator-app.ts';
import { runProgram } from './program.ts';
import { terminalQr } from './terminal-qr.ts';

const USAGE = `npm run demo -- [flags]    enrolls, signs in and disables again, against the service that "npm start" runs

  --data DIR    folder with its local.json         (default .countersign)
  --url URL     URL of the service                 (default: from local.json)
  --help        this text
`;

type Json = Record<string, unknown>;
interface Answer {
  path: string;
  status: number;
  body: Json;
}

const program = {
  name: 'demo',
  command: 'npm run demo',
  usage: USAGE,
  options: { data: { type: 'string', default: '.countersign' }, url: { type: 'string' } },
} as const;

await runProgram(program, async (flags) => {
  const { url, apiKey, users } = readLocal(flags);
  await play(createCaller(url, apiKey), users);
  console.log('\n✔ Every step did what it should.');
  return 0;
});

type Caller = (path: string, body: Json | undefined, token?: string) => Promise<Answer>;

async function play(call: Caller, users: LocalJson['users']): Promise<void> {
  const { user, signedIn } = await findNewcomer(call, users);
  const password = { username: user.username, password: user.password };
  let token = text(signedIn, 'accessToken');
  say(1, `${user.username} signs in: the password is enough, there is no second factor yet`);

  const enrolled = await expect(
    call('/v1/totp/enroll', { name: 'Demo phone', password: user.password }, token),
    201,
  );
  const uri = text(enrolled, 'otpauthUri');
  say(2, 'enrolls an authenticator, with the password again: this is what the app scans');
  console.log(`\n${terminalQr(uri)}\n\n     ${uri}`);
  const app = addAccount(uri);
  const nextCode = () =>
    app.nextCode((seconds) =>
      console.log(`     waiting ${seconds} s for the next code: each one works once`),
    );

  let backupCodes: string[] = [];
  try {
    const authenticatorId = text(enrolled, 'authenticatorId');
    const first = await nextCode();
    const confirmed = await expect(call('/v1/totp/confirm', { authenticatorId, code: first }, token), 200);
    token = text(confirmed, 'accessToken');
    backupCodes = list(confirmed, 'backupCodes');
    say(3, `confirms it with the code ${first}, and gets backup codes, shown this once:`);
    console.log(`     ${backupCodes.slice(0, 5).join('  ')}\n     ${backupCodes.slice(5).join('  ')}`);

    let challenge = await challengeOf(call, password);
    say(4, 'signs in again: the password now gives a challenge, and no token');

    const code = await nextCode();
    const answered = await expect(call('/v1/auth/verify', { challengeToken: challenge, code }), 200);
    token = text(answered, 'accessToken');
    say(5, `answers it with the code ${code}: signed in, by ${text(answered, 'method')}`);

    challenge = await challengeOf(call, password);
    const replayed = await call('/v1/auth/verify', { challengeToken: challenge, code });
    check(replayed.status === 401 && replayed.body['code'] === 'code_rejected', replayed);
    say(6, 'tries the same code on a new challenge: refused, a code works once');

    const backupCode = backupCodes.shift() ?? '';
    const recovered = await expect(call('/v1/auth/verify', { challengeToken: challenge, backupCode }), 200);
    token = text(recovered, 'accessToken');
    say(
      7,
      `uses the backup code ${backupCode} instead: signed in, ${recovered['backupCodesRemaining']} are left`,
    );

    const rotated = await expect(call('/v1/backup-codes/rotate', { code: await nextCode() }, token), 200);
    token = text(rotated, 'accessToken');
    backupCodes = list(rotated, 'backupCodes');
    say(8, `rotates the backup codes: ${backupCodes.length} new ones, the old ones no longer work`);

    const disabled = await expect(
      call('/v1/authenticators/disable', { backupCode: backupCodes.shift() }, token),
      200,
    );
    check(disabled['enabled'] === false, { path: '/v1/authenticators/disable', body: disabled });
    backupCodes = [];
    say(9, 'disables the second factor with one of them');

    const after = await expect(call('/v1/auth/login', password), 200);
    check(after['status'] === 'authenticated', { path: '/v1/auth/login', body: after });
    say(10, 'signs in once more: the password is enough again');
  } finally {
    await tidyUp(call, password, backupCodes);
  }
}

/** Signs in the first user without a second factor. */
async function findNewcomer(call: Caller, users: LocalJson['users']) {
  for (const user of users) {
    const { username, password } = user;
    const signedIn = await expect(call('/v1/auth/login', { username, password }), 200);
    if (signedIn['status'] === 'authenticated') return { user, signedIn };
    console.log(`     ${username} has a second factor already: trying the next user`);
  }
  throw new Error('Every user has a second factor already. Start over with: npm start -- --fresh');
}

async function challengeOf(call: Caller, password: Json): Promise<string> {
  const body = await expect(call('/v1/auth/login', password), 200);
  check(body['status'] === 'challenge' && body['accessToken'] === undefined, {
    path: '/v1/auth/login',
    body,
  });
  return text(body, 'challengeToken');
}

/** Disables the second factor again after a failed step, if two backup codes are left to do it. */
async function tidyUp(call: Caller, password: Json, backupCodes: string[]): Promise<void> {
  const [first, second] = backupCodes;
  if (first === undefined || second === undefined) return;
  const { body } = await call('/v1/auth/login', password);
  const { body: session } = await call('/v1/auth/verify', {
    challengeToken: body['challengeToken'],
    backupCode: first,
  });
  await call('/v1/authenticators/disable', { backupCode: second }, String(session['accessToken']));
}

function createCaller(url: string, apiKey: string): Caller {
  return async (path, body, token) => {
    const response = await fetch(url + path, {
      method: 'POST',
      headers: {
        'x-api-key': apiKey,
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
    }).catch(() => {
      throw new Error(`Nothing answers at ${url}. Start it with: npm start`);
    });
    return { path, status: response.status, body: (await response.json()) as Json };
  };
}

async function expect(answer: Promise<Answer>, status: number): Promise<Json> {
  const answered = await answer;
  check(answered.status === status, answered);
  return answered.body;
}

function check(holds: boolean, { path, status, body }: Omit<Answer, 'status'> & { status?: number }): void {
  if (holds) return;
  const said = [status, body['code'] ?? body['status']].filter((part) => part !== undefined).join(' ');
  throw new Error(`${path} gave an unexpected response: ${said}`);
}

function text(body: Json, name: string): string {
  const value = body[name];
  if (typeof value !== 'string') throw new Error(`The response has no ${name}.`);
  return value;
}

function list(body: Json, name: string): string[] {
  const value = body[name];
  if (!Array.isArray(value)) throw new Error(`The response has no ${name}.`);
  return value.map(String);
}

function say(step: number, line: string): void {
  console.log(`${String(step).padStart(3)}. ${line}`);
}

function readLocal({ data, url }: { data: string; url?: string | undefined }): LocalJson {
  const path = join(resolve(data), 'local.json');
  if (!existsSync(path)) throw new Error(`There is no ${path}. Start the service with: npm start`);
  const local = JSON.parse(readFileSync(path, 'utf8')) as LocalJson;
  if (url !== undefined && !URL.canParse(url)) throw new Error(`--url takes a URL, not "${url}".`);
  return { ...local, url: (url ?? local.url).replace(/\/$/, '') };
}
