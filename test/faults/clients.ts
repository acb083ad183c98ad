import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { type Answer, type Client, codeAt, text } from '../support/client.ts';

const STEP = 30;
const stepOf = (seconds: number) => Math.floor(seconds / STEP);

/** A person as a client app knows them: what was answered, and what was asked and never answered. */
export interface Known {
  username: string;
  password: string;
  sub: string;
  secret?: string;
  /** Once the confirmation was answered. */
  backupCodes?: string[];
  /** Steps of which a code was accepted, in order. */
  steps: number[];
  usedBackupCodes: string[];
  /** Of sets that were replaced. */
  deadBackupCodes: string[];
  usedRefreshTokens: string[];
  refreshToken?: string;
  accessToken?: string;
  /** What was under way when the service went: it has happened or not. */
  unanswered?: 'confirm' | 'code' | 'backupCode' | 'rotate' | 'refresh' | 'other';
}

/** Thrown where no answer came. */
class Gone extends Error {}

/** Calls until it is answered by a function: the gateway's own 429 is only waited out. */
async function ask(call: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    const answer = await call().catch(() => {
      throw new Gone();
    });
    if (answer.status !== 429 || answer.body['code'] === 'too_many_attempts') return answer;
    await setTimeout(100);
  }
}

/**
 * Enrolls somebody, signs in by codes and backup codes, refreshes and rotates, until no answer comes.
 *
 * @param acknowledged called at every change that was answered
 * @returns what is known of everybody then
 */
export async function busyClient(
  client: Client,
  newcomer: () => Promise<{ username: string; password: string; sub: string }>,
  acknowledged: () => void,
): Promise<Known[]> {
  const people: Known[] = [];
  try {
    for (;;) {
      const person = await newcomer().catch(() => {
        throw new Gone();
      });
      const known: Known = {
        ...person,
        steps: [],
        usedBackupCodes: [],
        deadBackupCodes: [],
        usedRefreshTokens: [],
      };
      people.push(known);
      await oneLife(client, known, acknowledged);
    }
  } catch (error) {
    if (!(error instanceof Gone)) throw error;
    return people;
  }
}

async function oneLife(client: Client, known: Known, acknowledged: () => void): Promise<void> {
  /** Asks for a change and notes its answer; until then it is what may or may not have happened. */
  const change = async (
    kind: NonNullable<Known['unanswered']>,
    call: () => Promise<Answer>,
    note: (answer: Answer) => void,
  ) => {
    known.unanswered = kind;
    const answer = await ask(call);
    assert.ok(answer.status < 300, `${kind}: ${answer.status} ${answer.body['code']}`);
    note(answer);
    delete known.unanswered;
    acknowledged();
  };
  const session = (answer: Answer) => {
    known.accessToken = text(answer, 'accessToken');
    known.refreshToken = text(answer, 'refreshToken');
    known.usedRefreshTokens = [];
  };
  const challenge = async () => {
    const { username, password } = known;
    return text(await ask(() => client.post('/v1/auth/login', { username, password })), 'challengeToken');
  };
  const bearer = () => known.accessToken ?? assert.fail();
  const code = (at: number) => codeAt(known.secret ?? assert.fail(), at * STEP);
  const refresh = () =>
    change(
      'refresh',
      () => client.post('/v1/auth/refresh', { refreshToken: known.refreshToken }),
      (answer) => {
        known.usedRefreshTokens.push(known.refreshToken ?? '');
        known.accessToken = text(answer, 'accessToken');
        known.refreshToken = text(answer, 'refreshToken');
      },
    );
  const useBackupCode = async () => {
    const challengeToken = await challenge();
    const [backupCode = ''] = known.backupCodes ?? [];
    await change(
      'backupCode',
      () => client.post('/v1/auth/verify', { challengeToken, backupCode }),
      (answer) => {
        known.usedBackupCodes.push(backupCode);
        known.backupCodes = (known.backupCodes ?? []).slice(1);
        session(answer);
      },
    );
  };

  const { username, password } = known;
  session(await ask(() => client.post('/v1/auth/login', { username, password })));
  const pending = await ask(() => client.post('/v1/totp/enroll', { password }, bearer()));
  known.secret = text(pending, 'secret');
  // The code of this step confirms, and that of the next, good already, makes new backup codes.
  const step = stepOf(Date.now() / 1000);
  await change(
    'confirm',
    () =>
      client.post(
        '/v1/totp/confirm',
        { authenticatorId: text(pending, 'authenticatorId'), code: code(step) },
        bearer(),
      ),
    (answer) => {
      known.steps.push(step);
      known.backupCodes = answer.body['backupCodes'] as string[];
      session(answer);
    },
  );
  await refresh();
  await useBackupCode();
  await refresh();
  await refresh();
  await change(
    'rotate',
    () => client.post('/v1/backup-codes/rotate', { code: code(step + 1) }, bearer()),
    (answer) => {
      known.steps.push(step + 1);
      known.deadBackupCodes.push(...(known.backupCodes ?? []));
      known.backupCodes = answer.body['backupCodes'] as string[];
      session(answer);
    },
  );
  await useBackupCode();
  await refresh();
  await useBackupCode();
}
