// Administrator actions leave a trace: who acted, on whom, when and why.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AdminSetUserPasswordCommand,
  ConfirmForgotPasswordCommand,
  ForgotPasswordCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { administratorOf } from '../support/administrator.ts';
import { clientOf } from '../support/client.ts';
import { mailedCode } from '../support/cognito-sign-in.ts';
import { cognitoOf } from '../support/people.ts';
import { serviceForTests } from '../support/service.ts';
import { storedFactor } from '../support/stored.ts';
import { enrolledPerson } from '../support/ways.ts';

const lines: { operation: string; line: Record<string, unknown> }[] = [];
let heard = () => {};
const service = await serviceForTests(undefined, {
  onLog(operation, line) {
    lines.push({ operation, line: JSON.parse(line) });
    heard();
  },
});
const client = clientOf(service);
const administrator = administratorOf(service);
const ADMINISTRATOR = 'arn:aws:iam::000000000000:user/admin';

/** Returns this operation's next log line after `work`. The line may arrive shortly after the response. */
async function lineOf(operation: string, work: () => Promise<unknown>): Promise<Record<string, unknown>> {
  lines.length = 0;
  await work();
  for (;;) {
    const found = lines.find((entry) => entry.operation === operation);
    if (found) return found.line;
    const { promise, resolve } = Promise.withResolvers<void>();
    heard = resolve;
    await promise;
  }
}

test('every administrator action logs the user, the caller and the request', async () => {
  const { person } = await enrolledPerson(service, client);
  const acts = {
    'admin-status': () => administrator.status(person.sub),
    'admin-unlock': () => administrator.unlock(person.sub, { reason: 'case 1' }),
    'admin-revoke-sessions': () => administrator.revokeSessions(person.sub, { reason: 'case 2' }),
    'admin-reset': () => administrator.reset(person.sub, { reason: 'case 3' }),
  };
  for (const [operation, act] of Object.entries(acts)) {
    const { invocationId, requestId, ...said } = await lineOf(operation, act);
    assert.match(`${requestId} ${invocationId}`, /^[\da-f-]{36} [\da-f-]{36}$/, operation);
    const status = operation === 'admin-revoke-sessions' ? 204 : 200;
    assert.deepEqual(said, {
      level: 'info',
      operation,
      client: 'app',
      realm: 'users',
      user: person.sub,
      administrator: ADMINISTRATOR,
      status,
    });
  }
});

test('a refused administrator action logs the same line, with its error code', async () => {
  const line = await lineOf('admin-unlock', () => administrator.unlock('nobody'));
  assert.deepEqual(
    [line['user'], line['administrator'], line['code']],
    ['nobody', ADMINISTRATOR, 'user_not_found'],
  );
});

test('the record keeps which administrator acted last, when and why', async () => {
  const { person, nextCode, access } = await enrolledPerson(service, client);
  for (const [type, act] of [
    ['account.unlocked', administrator.unlock],
    ['sessions.revoked', administrator.revokeSessions],
    ['admin.reset', administrator.reset],
  ] as const) {
    const at = service.clock.seconds();
    await act(person.sub, { reason: `lost phone, ${type}` });
    if (type === 'account.unlocked')
      await client.post('/v1/authenticators/verify', { code: nextCode() }, access);
    const { administered, revoked } = await storedFactor(service, person);
    const kept = type === 'sessions.revoked' ? revoked : administered;
    assert.deepEqual({ ...kept, at: 0 }, { type, at: 0, by: ADMINISTRATOR, reason: `lost phone, ${type}` });
    assert.ok(Math.abs((kept?.at ?? 0) - at) < 60);
    const { body } = await administrator.status(person.sub);
    assert.deepEqual([body['lastAdministered'], body['lastRevoked']], [administered, revoked ?? null]);
  }
  const cognito = cognitoOf(service);
  const { userPoolId: UserPoolId } = service.local.cognito;
  const Password = 'Another-horse-8-long';
  const reset = (await storedFactor(service, person)).administered;
  await cognito.send(
    new AdminSetUserPasswordCommand({ UserPoolId, Username: person.username, Password, Permanent: true }),
  );
  cognito.destroy();
  await service.eventsDelivered();
  const after = await storedFactor(service, person);
  assert.deepEqual(after.administered, reset, 'setting a password afterwards keeps the record of the reset');
  assert.equal(after.revoked?.by, 'arn:aws:iam::000000000000:user/operator');
});

test('a password reset by its user logs the user', async () => {
  const { person } = await enrolledPerson(service, client);
  const cognito = cognitoOf(service);
  const { clientId: ClientId } = service.local.cognito;
  const user = { ClientId, Username: person.username };
  const line = await lineOf('cognito/post-confirmation', async () => {
    await cognito.send(new ForgotPasswordCommand(user));
    const ConfirmationCode = mailedCode(service, person);
    const Password = 'Another-horse-8-long';
    await cognito.send(new ConfirmForgotPasswordCommand({ ...user, ConfirmationCode, Password }));
  });
  cognito.destroy();
  assert.deepEqual(
    [line['realm'], line['user'], line['clientId'], line['triggerSource']],
    ['users', person.sub, ClientId, 'PostConfirmation_ConfirmForgotPassword'],
  );
});
