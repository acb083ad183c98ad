import assert from 'node:assert/strict';
import { decodeJwt } from 'jose';
import type { Operation } from '../../functions/routes.ts';
import type { Service } from '../../local/service.ts';
import { administratorOf } from '../support/administrator.ts';
import { type Answer, challengeFor, clientOf, codeAt, signIn, text, wrongCodeAt } from '../support/client.ts';
import { createPerson } from '../support/people.ts';

/** Somebody for whom one operation can be run again and again, once what is stored has been put back. */
export interface Actor {
  /** Keys of all that the operation may change. */
  keys: string[];
  /** Gets what one run takes and nothing can be stored of: a challenge. */
  ready(): Promise<() => Promise<Answer>>;
  /** Signs in by what the person has, whatever became of the operation. */
  goOn(): Promise<Answer>;
}

/** Every secret that was sent or answered, to be looked for where it must not be. */
export type Secrets = Set<string>;

/** Lives long enough for many runs. */
export const CONFIGURATION = {
  globalSignOut: true,
  lifetimes: { accessToken: 3600, challenge: 600, recentSignIn: 3600, enrollment: 3600 },
  plans: {
    standard: { rate: 10_000, burst: 5000, guessableRate: 10_000, guessableBurst: 5000 },
    limited: { rate: 5, burst: 10, guessableRate: 1, guessableBurst: 5 },
  },
};

type Make = () => Promise<Actor>;
export type Cast = Partial<Record<Operation, Make>>;

/** Who runs what: in each of the three at most one for an operation, so that all of a cast can act at once. */
export function castsOf(service: Service, secrets: Secrets): { right: Cast; wrong: Cast; other: Cast } {
  const client = clientOf(service);
  const administrator = administratorOf(service);
  const now = () => service.clock.seconds();

  const keep = (answer: Answer): Answer => {
    for (const name of ['accessToken', 'refreshToken', 'challengeToken', 'secret', 'enrollmentTicket']) {
      const value = answer.body[name];
      if (typeof value === 'string') secrets.add(value);
    }
    for (const code of (answer.body['backupCodes'] as string[] | undefined) ?? []) secrets.add(code);
    return answer;
  };
  const sent = <T extends string>(secret: T): T => {
    secrets.add(secret);
    return secret;
  };
  const post = async (path: string, body: Record<string, unknown>, bearer?: string) =>
    keep(await client.post(path, body, bearer));

  /** Somebody with a password and, where it is wanted, a second factor, with the code of this moment used. */
  async function somebody(enrolled: boolean) {
    const person = await createPerson(service);
    sent(person.password);
    const session = await signIn(client, person);
    const keys = [`USER#users#${person.sub}`];
    let secret = '';
    let authenticatorId = '';
    let backupCodes: string[] = [];
    let { access, refresh } = session;
    const enroll = async () => {
      const pending = await post('/v1/totp/enroll', { password: person.password }, access);
      assert.equal(pending.status, 201, JSON.stringify(pending.body));
      secret = text(pending, 'secret');
      authenticatorId = text(pending, 'authenticatorId');
    };
    if (enrolled) {
      await enroll();
      const code = codeAt(secret, now());
      const confirmed = await post('/v1/totp/confirm', { authenticatorId, code }, access);
      assert.equal(confirmed.status, 200, JSON.stringify(confirmed.body));
      [access, refresh] = [text(confirmed, 'accessToken'), text(confirmed, 'refreshToken')];
      backupCodes = confirmed.body['backupCodes'] as string[];
    }
    return {
      person,
      keys,
      access,
      refresh,
      enroll,
      backupCode: () => backupCodes[0] ?? assert.fail(),
      code: () => sent(codeAt(secret, now())),
      wrongCode: () => wrongCodeAt(secret, now()),
      authenticatorId: () => authenticatorId,
      async goOn() {
        const { username, password } = person;
        const answer = await post('/v1/auth/login', { username, password });
        if (answer.body['status'] !== 'challenge') return answer;
        const challengeToken = text(answer, 'challengeToken');
        if (String(answer.body['methods']) === 'enrollment_ticket') {
          // The answer with the ticket may be lost: support gives another.
          const enrollmentTicket = text(keep(await administrator.reset(person.sub)), 'enrollmentTicket');
          const again = text(await post('/v1/auth/login', { username, password }), 'challengeToken');
          return post('/v1/auth/verify', { challengeToken: again, enrollmentTicket });
        }
        // Of the next step: the code of this one may be spent.
        return post('/v1/auth/verify', { challengeToken, code: codeAt(secret, now() + 30) });
      },
    };
  }
  type Somebody = Awaited<ReturnType<typeof somebody>>;

  const actor =
    (
      enrolled: boolean,
      run: (somebody: Somebody) => Promise<Answer>,
      first?: (s: Somebody) => unknown,
    ): Make =>
    async () => {
      const who = await somebody(enrolled);
      await first?.(who);
      return { keys: who.keys, ready: async () => () => run(who), goOn: who.goOn };
    };
  const verifyLogin =
    (proof: (somebody: Somebody) => Record<string, string>): Make =>
    async () => {
      const who = await somebody(true);
      return {
        keys: who.keys,
        async ready() {
          const challengeToken = sent(await challengeFor(client, who.person));
          return () => post('/v1/auth/verify', { challengeToken, ...proof(who) });
        },
        goOn: who.goOn,
      };
    };
  const withRefreshToken = (
    run: (refreshToken: string) => Promise<Answer>,
    first?: (refreshToken: string) => Promise<Answer>,
  ): Make =>
    actor(
      true,
      ({ refresh }) => run(refresh),
      async ({ keys, refresh }) => {
        keys.push(`FAMILY#${decodeJwt(refresh)['family']}`);
        await first?.(refresh);
      },
    );
  const refresh = (refreshToken: string) => post('/v1/auth/refresh', { refreshToken });
  const login = ({ person: { username, password } }: Somebody) =>
    post('/v1/auth/login', { username, password });
  const enrollFirst = ({ enroll }: Somebody) => enroll();
  const addAnother = (who: Somebody) => post('/v1/totp/enroll', { code: who.code() }, who.access);

  return {
    right: {
      login: actor(true, login),
      'verify-login': verifyLogin((who) => ({ code: who.code() })),
      refresh: withRefreshToken(refresh),
      logout: withRefreshToken((refreshToken) => post('/v1/auth/logout', { refreshToken })),
      status: actor(true, ({ access }) => client.get('/v1/authenticators', access)),
      enroll: actor(true, addAnother),
      confirm: actor(
        false,
        (who) =>
          post('/v1/totp/confirm', { authenticatorId: who.authenticatorId(), code: who.code() }, who.access),
        enrollFirst,
      ),
      verify: actor(true, (who) => post('/v1/authenticators/verify', { code: who.code() }, who.access)),
      disable: actor(true, (who) => post('/v1/authenticators/disable', { code: who.code() }, who.access)),
      'rotate-backup-codes': actor(true, (who) =>
        post('/v1/backup-codes/rotate', { code: who.code() }, who.access),
      ),
      keys: actor(false, () => client.get('/.well-known/jwks.json')),
      'admin-status': actor(true, ({ person }) => administrator.status(person.sub)),
      'admin-unlock': actor(
        true,
        ({ person }) => administrator.unlock(person.sub),
        (who) => post('/v1/authenticators/verify', { code: who.wrongCode() }, who.access),
      ),
      'admin-reset': actor(true, async ({ person }) => keep(await administrator.reset(person.sub))),
      'admin-revoke-sessions': actor(true, ({ person }) => administrator.revokeSessions(person.sub)),
    },
    wrong: {
      login: actor(true, ({ person: { username } }) =>
        post('/v1/auth/login', { username, password: sent('Not-the-password-1') }),
      ),
      'verify-login': verifyLogin((who) => ({ code: who.wrongCode() })),
      // Used before: the whole family ends.
      refresh: withRefreshToken(refresh, refresh),
      enroll: actor(true, (who) => post('/v1/totp/enroll', { code: who.wrongCode() }, who.access)),
      confirm: actor(
        false,
        (who) =>
          post(
            '/v1/totp/confirm',
            { authenticatorId: who.authenticatorId(), code: who.wrongCode() },
            who.access,
          ),
        enrollFirst,
      ),
      verify: actor(true, (who) => post('/v1/authenticators/verify', { code: who.wrongCode() }, who.access)),
      disable: actor(true, (who) =>
        post('/v1/authenticators/disable', { code: who.wrongCode() }, who.access),
      ),
      'rotate-backup-codes': actor(true, (who) =>
        post('/v1/backup-codes/rotate', { code: who.wrongCode() }, who.access),
      ),
    },
    other: {
      login: actor(false, login),
      'verify-login': verifyLogin((who) => ({ backupCode: who.backupCode() })),
      enroll: actor(false, ({ access, person }) =>
        post('/v1/totp/enroll', { password: person.password }, access),
      ),
      verify: actor(true, (who) =>
        post('/v1/authenticators/verify', { backupCode: who.backupCode() }, who.access),
      ),
      disable: actor(true, (who) =>
        post(
          '/v1/authenticators/disable',
          { backupCode: who.backupCode(), authenticatorId: who.authenticatorId() },
          who.access,
        ),
      ),
    },
  };
}
