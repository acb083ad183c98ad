import type { Service } from '../../local/service.ts';
import { administratorOf } from '../support/administrator.ts';
import { type Client, clientOf, type Answer as HttpAnswer, type Person } from '../support/client.ts';
import { createPerson } from '../support/people.ts';
import { answerOf } from './answer.ts';
import type { Answer, Op, Rules } from './model.ts';
import type { Driver } from './play.ts';

/** Drives the service over HTTP, through the gateway, the functions, the schemas and Cognito. */
export function createOverHttp(service: Service, rules: Rules): Driver {
  const people = new Map<string, Person>();
  const clients = new Map([
    ['app', clientOf(service)],
    ['other', clientOf(service, service.local.limitedApiKey)],
  ]);

  async function answer(op: Op): Promise<Answer> {
    const client = clients.get(op.client);
    if (!client) throw new Error(`No client ${op.client}.`);
    const { status, headers, body } = await request(op, client);
    if (status < 400) return answerOf('ok', body);
    return answerOf(String(body['code']), { retryAfter: Number(headers.get('retry-after')) });
  }

  function passwordOf({ user, password: given }: Extract<Op, { password: unknown }>): string | undefined {
    const { password = '' } = people.get(user) ?? {};
    return given && (given === 'right' ? password : `${password}?`);
  }

  function request(op: Op, client: Client): Promise<HttpAnswer> {
    const administrator = administratorOf(service, service.local.admin, client);
    switch (op.name) {
      case 'login': {
        const { username = '' } = people.get(op.user) ?? {};
        return client.post('/v1/auth/login', { username, password: passwordOf(op) });
      }
      case 'verify-login':
        return client.post('/v1/auth/verify', { challengeToken: op.token, ...op.proof });
      case 'refresh':
        return client.post('/v1/auth/refresh', { refreshToken: op.token });
      case 'logout':
        return client.post('/v1/auth/logout', { refreshToken: op.token });
      case 'status':
        return client.get('/v1/authenticators', op.token);
      case 'enroll':
        return client.post('/v1/totp/enroll', { ...op.proof, password: passwordOf(op) }, op.token);
      case 'confirm': {
        const { authenticatorId, code } = op;
        return client.post('/v1/totp/confirm', { authenticatorId, code }, op.token);
      }
      case 'verify':
        return client.post('/v1/authenticators/verify', op.proof, op.token);
      case 'disable': {
        const { proof, authenticatorId } = op;
        return client.post('/v1/authenticators/disable', { ...proof, authenticatorId }, op.token);
      }
      case 'rotate-backup-codes':
        return client.post('/v1/backup-codes/rotate', { code: op.code }, op.token);
      case 'admin-status':
        return administrator.status(op.user);
      case 'admin-unlock':
        return administrator.unlock(op.user);
      case 'admin-reset':
        return administrator.reset(op.user);
      case 'admin-revoke-sessions':
        return administrator.revokeSessions(op.user);
    }
  }

  return {
    rules,
    now: service.clock.seconds,
    advance: service.clock.advance,
    async newUser() {
      const person = await createPerson(service);
      people.set(person.sub, person);
      return person.sub;
    },
    async run(ops) {
      // Calls that start early in a second mostly end in the same second.
      const into = service.clock.now() % 1000;
      if (into > 300) service.clock.advance((1000 - into) / 1000);
      const from = service.clock.seconds();
      const answers = await Promise.all(ops.map(answer));
      return { answers, from, to: service.clock.seconds() };
    },
  };
}
