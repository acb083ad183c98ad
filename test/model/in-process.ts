import { AsyncLocalStorage } from 'node:async_hooks';
import { after } from 'node:test';
import * as v from 'valibot';
import { createBearer } from '../../adapters/bearer.ts';
import { createFamilies } from '../../adapters/families.ts';
import { ensureFirstKey } from '../../adapters/key-maker.ts';
import { createKeyring, createSigningKeys } from '../../adapters/keyring.ts';
import { createRecords } from '../../adapters/records.ts';
import { createTokens } from '../../adapters/tokens.ts';
import { createUnwrap } from '../../adapters/unwrap.ts';
import { adminReset, adminRevokeSessions, adminStatus, adminUnlock } from '../../core/admin.ts';
import { confirm } from '../../core/confirm.ts';
import { disable } from '../../core/disable.ts';
import { enroll } from '../../core/enroll.ts';
import { CountersignError } from '../../core/error.ts';
import { login } from '../../core/login.ts';
import { logout } from '../../core/logout.ts';
import type { FirstFactor, Records } from '../../core/ports.ts';
import { randomId } from '../../core/random.ts';
import { refresh } from '../../core/refresh.ts';
import { rotateBackupCodes } from '../../core/rotate-backup-codes.ts';
import { Settings } from '../../core/settings.ts';
import { status } from '../../core/status.ts';
import { typedCode } from '../../core/typed-code.ts';
import { verify } from '../../core/verify.ts';
import { verifyLogin } from '../../core/verify-login.ts';
import type { startAws } from '../support/aws.ts';
import { SUPPORT } from '../support/deployment.ts';
import { answerOf } from './answer.ts';
import type { Answer, Op, Rules } from './model.ts';
import type { Driver } from './play.ts';
import { limitsOf, settingsOf } from './rules.ts';
import { createTurns } from './turns.ts';

const issuer = {
  ISSUER: 'https://id.example/prod',
  FORMER_ISSUERS: [],
  AUDIENCE: 'https://api.example',
  SETTINGS: { realm: 'users' },
};

/** Stands in for Cognito, which checks passwords. Here they are just right or wrong. */
const firstFactor: FirstFactor = {
  async check(username, password) {
    if (password !== 'right') throw new CountersignError('invalid_credentials');
    return { sub: username, username };
  },
};

/** Returns the operation as the adapters pass it on, with a backup code or ticket without its dashes. */
function asRead(op: Op): Op {
  if (!('proof' in op && op.proof) || 'code' in op.proof) return op;
  return 'backupCode' in op.proof
    ? { ...op, proof: { backupCode: typedCode(op.proof.backupCode) } }
    : { ...op, proof: { enrollmentTicket: typedCode(op.proof.enrollmentTicket) } };
}

/**
 * Runs the operations of core/ over the real adapters in this process. Without HTTP and workers, thousands of
 * sequences take seconds. The driver also decides in which order concurrent operations reach the store.
 */
export async function createInProcess(
  aws: Awaited<ReturnType<typeof startAws>>,
  rules: Rules,
): Promise<Driver> {
  const { dynamoDb, kms, tableName, environment } = aws;
  const settings = { ...v.parse(Settings, settingsOf(rules)), limits: limitsOf(rules) };
  let now = Math.floor(Date.now() / 1000);
  for (const kind of ['data', 'backup-code', 'signing'] as const)
    await ensureFirstKey({ dynamoDb, kms, environment }, kind, () => now);
  const ring = { dynamoDb, tableName };
  const unwrap = createUnwrap(kms, environment);
  const tokens = createTokens(issuer, createSigningKeys(ring, unwrap));
  const shared = { keyring: createKeyring(ring, unwrap), tokens, settings, firstFactor };
  const bearer = createBearer(tokens, { TRUSTED_ISSUERS: [], SETTINGS: settings });
  const records = createRecords(dynamoDb, tableName);
  // Advancing a family may take two writes, with others in between. So each write waits for its own turn.
  const current = new AsyncLocalStorage<() => Promise<void>>();
  const inTurns = aws.dynamoDbAs();
  inTurns.middlewareStack.add(
    (next) => async (sent) => {
      await current.getStore()?.();
      return next(sent);
    },
    { step: 'initialize' },
  );
  after(() => inTurns.destroy());
  const families = createFamilies(inTurns, tableName);

  /** Returns services that wait for their turn before every call of the store. */
  function servicesOf(turn: () => Promise<void>) {
    const inTurn =
      <A extends unknown[], R>(call: (...given: A) => Promise<R>) =>
      async (...given: A) => {
        await turn();
        return call(...given);
      };
    const stored: Records = { read: inTurn(records.read), replace: inTurn(records.replace) };
    return { ...shared, families, records: stored };
  }

  const act = { by: SUPPORT };

  async function perform(given: Op, turn: () => Promise<void>): Promise<unknown> {
    const op = asRead(given);
    const services = servicesOf(turn);
    const { client } = op;
    const user = { realm: settings.realm, sub: op.user };
    const caller = (token: string) => bearer(`Bearer ${token}`, client, now);
    switch (op.name) {
      case 'login':
        return login(services, { username: op.user, password: op.password, client, now });
      case 'verify-login':
        return verifyLogin(services, { challengeToken: op.token, proof: op.proof, client, now });
      case 'refresh':
        return refresh(services, { refreshToken: op.token, client, now });
      case 'logout':
        return logout(services, { refreshToken: op.token, client, now });
      case 'status':
        return status(services, await caller(op.token));
      case 'enroll':
        return enroll(services, { ...op, caller: await caller(op.token), name: 'Phone', now });
      case 'confirm': {
        const { authenticatorId, code } = op;
        return confirm(services, { caller: await caller(op.token), authenticatorId, code, client, now });
      }
      case 'verify':
        return verify(services, { caller: await caller(op.token), proof: op.proof, client, now });
      case 'disable': {
        const { proof, authenticatorId } = op;
        return disable(services, { caller: await caller(op.token), proof, authenticatorId, client, now });
      }
      case 'rotate-backup-codes':
        return rotateBackupCodes(services, { caller: await caller(op.token), code: op.code, client, now });
      case 'admin-status':
        return adminStatus(services, user, now);
      case 'admin-unlock':
        return adminUnlock(services, user, { ...act, passwordChanged: false }, now);
      case 'admin-reset':
        return adminReset(services, user, act, now);
      case 'admin-revoke-sessions':
        return adminRevokeSessions(services, user, act, now);
    }
  }

  async function answer(op: Op, turn: () => Promise<void>): Promise<Answer> {
    try {
      return answerOf('ok', (await perform(op, turn)) ?? {});
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error;
      return answerOf(error.code, { retryAfter: error.retryAfter });
    }
  }

  return {
    rules,
    now: () => now,
    advance(seconds) {
      now += seconds;
    },
    newUser: async () => `user-${randomId()}`,
    async run(ops, turns) {
      const take = createTurns(ops.length, turns);
      const answers = await Promise.all(
        ops.map((op, index) => take(index, (turn) => current.run(turn, () => answer(op, turn)))),
      );
      return { answers, from: now, to: now };
    },
  };
}
