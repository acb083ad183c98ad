// Countersign ends its own sessions after an administrator acts on the pool directly.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AdminDeleteUserCommand,
  AdminDisableUserCommand,
  AdminEnableUserCommand,
  AdminResetUserPasswordCommand,
  AdminSetUserPasswordCommand,
  AdminUserGlobalSignOutCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import '../../support/native-powers.ts';
import { administratorOf } from '../../support/administrator.ts';
import { assertProblem, clientOf, enrollPerson, signIn, text } from '../../support/client.ts';
import { enrollFromCognito, passwordSession } from '../../support/cognito-sign-in.ts';
import { cognitoOf, createPerson } from '../../support/people.ts';
import { serviceForTests } from '../../support/service.ts';
import { storedFactor } from '../../support/stored.ts';

const lines: string[] = [];
const service = await serviceForTests(
  { globalSignOut: true },
  {
    onLog(operation, line) {
      if (operation === 'cognito/admin-sign-out') lines.push(line);
    },
  },
);
const client = clientOf(service);
const administrator = administratorOf(service);

/** Sends an administrator's command to Cognito and waits until Countersign has handled the event. */
async function atThePool(
  Command: new (input: { UserPoolId: string; Username: string }) => AdminUserGlobalSignOutCommand,
  { username: Username }: { username: string },
): Promise<void> {
  const cognito = cognitoOf(service);
  try {
    await cognito.send(new Command({ UserPoolId: service.local.cognito.userPoolId, Username }));
  } finally {
    cognito.destroy();
  }
  await service.eventsDelivered();
}

const refresh = (refreshToken: string) => client.post('/v1/auth/refresh', { refreshToken });

for (const [what, Command] of Object.entries({
  'signed out': AdminUserGlobalSignOutCommand,
  disabled: AdminDisableUserCommand,
  deleted: AdminDeleteUserCommand,
})) {
  test(`a user whom an administrator has ${what} in the pool loses every session here`, async () => {
    const [person, other] = await Promise.all([createPerson(service), createPerson(service)]);
    const [session, untouched] = [await signIn(client, person), await signIn(client, other)];
    const { access: atCognito } = await passwordSession(service, person);
    assert.equal((await client.get('/v1/authenticators', atCognito)).status, 200);
    await atThePool(Command, person);
    assertProblem(await refresh(session.refresh), 401, 'refresh_token_invalid');
    assertProblem(await client.get('/v1/authenticators', session.access), 401, 'token_invalid');
    assertProblem(await client.get('/v1/authenticators', atCognito), 401, 'token_invalid');
    assert.equal((await refresh(untouched.refresh)).status, 200);
    const ended = what === 'deleted' ? 'admin.reset' : 'sessions.revoked';
    assert.equal((await storedFactor(service, person)).event?.type, ended);
  });
}

test("an administrator who sets a new password ends the user's sessions here, and the record stores when", async () => {
  const person = await createPerson(service);
  const session = await signIn(client, person);
  const at = service.clock.seconds();
  const cognito = cognitoOf(service);
  const user = { UserPoolId: service.local.cognito.userPoolId, Username: person.username };
  const Password = 'Another-horse-8-long';
  await cognito.send(new AdminSetUserPasswordCommand({ ...user, Password, Permanent: true }));
  cognito.destroy();
  await service.eventsDelivered();
  assertProblem(await refresh(session.refresh), 401, 'refresh_token_invalid');
  const { passwordSetAt = 0, event } = await storedFactor(service, person);
  assert.ok(passwordSetAt >= at && passwordSetAt <= at + 60, `${passwordSetAt - at}`);
  assert.equal(event?.type, 'sessions.revoked');
});

test("an administrator who resets a password ends the user's sessions here, and the record has no new password yet", async () => {
  const person = await createPerson(service);
  const session = await signIn(client, person);
  await atThePool(AdminResetUserPasswordCommand, person);
  assertProblem(await refresh(session.refresh), 401, 'refresh_token_invalid');
  const { passwordSetAt, event } = await storedFactor(service, person);
  assert.equal(passwordSetAt, undefined);
  assert.equal(event?.type, 'sessions.revoked');
});

test('the action logs the user and the administrator, and the record keeps it', async () => {
  const person = await createPerson(service);
  const before = lines.length;
  await atThePool(AdminDisableUserCommand, person);
  const [line, ...others] = lines.slice(before).map((text) => JSON.parse(text));
  assert.deepEqual(others, []);
  const { invocationId, requestId, ...said } = line;
  assert.deepEqual(said, {
    level: 'info',
    operation: 'cognito/admin-sign-out',
    event: 'AdminDisableUser',
    realm: 'users',
    user: person.sub,
    administrator: 'arn:aws:iam::000000000000:user/operator',
  });
  assert.match(requestId, /^[\da-f-]{36}$/);
  const { revoked } = await storedFactor(service, person);
  assert.deepEqual(
    [revoked?.type, revoked?.by],
    ['sessions.revoked', 'arn:aws:iam::000000000000:user/operator'],
  );
});

test('the second factor stays and signs in as before', async () => {
  const person = await createPerson(service);
  const { code, backupCodes } = await enrollPerson(service, client, person);
  await atThePool(AdminUserGlobalSignOutCommand, person);
  const { authenticators, backupCodes: stored } = await storedFactor(service, person);
  assert.deepEqual([authenticators.length, stored?.digests.length], [1, backupCodes.length]);
  const { username, password } = person;
  const challengeToken = text(await client.post('/v1/auth/login', { username, password }), 'challengeToken');
  assert.equal((await client.post('/v1/auth/verify', { challengeToken, code: code() })).status, 200);
});

test('deleting a user removes every secret and backup code', async () => {
  const person = await createPerson(service);
  await enrollPerson(service, client, person);
  await atThePool(AdminDeleteUserCommand, person);
  const { authenticators, pending, backupCodes } = await storedFactor(service, person);
  assert.deepEqual([authenticators, pending, backupCodes], [[], undefined, undefined]);
});

test('a sign-out that Countersign itself requested ends nothing more, and the session that confirmed stays valid', async () => {
  const person = await createPerson(service);
  const before = lines.length;
  const { confirmation, session } = await enrollFromCognito(service, client, person);
  assert.equal(confirmation.body['cognitoSessionsEnded'], true);
  await service.eventsDelivered();
  assert.equal((await storedFactor(service, person)).event?.type, 'authenticator.added');
  assert.equal((await client.get('/v1/authenticators', session.access)).status, 200);
  const [line, ...others] = lines.slice(before).map((text) => JSON.parse(text));
  assert.deepEqual(others, []);
  assert.deepEqual([line.event, line.user, line.ignored], ['AdminUserGlobalSignOut', person.sub, true]);
});

test('other actions on the pool, and refused ones, end nothing', async () => {
  const person = await createPerson(service);
  const session = await signIn(client, person);
  await atThePool(AdminEnableUserCommand, person);
  await assert.rejects(atThePool(AdminUserGlobalSignOutCommand, { username: 'nobody-at-all' }), {
    name: 'UserNotFoundException',
  });
  await service.eventsDelivered();
  assert.equal((await refresh(session.refresh)).status, 200);
});

test('a failed revocation is retried, and a session never survives without an error', async () => {
  const person = await createPerson(service);
  for (const [operation, fault] of [
    ['GetItem', 'error'],
    ['UpdateItem', 'lose-answer'],
  ] as const) {
    const session = await signIn(client, person);
    const before = lines.length;
    let met = 0;
    // More faults than the SDK has attempts in one invocation.
    service.setFault((call) =>
      call.operation === operation && call.principal?.includes('AdminSignOut') && ++met <= 4
        ? fault
        : undefined,
    );
    await atThePool(AdminUserGlobalSignOutCommand, person);
    service.setFault(undefined);
    assert.ok(met > 3, `${operation}: ${met}`);
    const told = lines.slice(before).map((text) => JSON.parse(text));
    assert.ok(told.length > 1);
    assert.deepEqual(
      told.map(({ user, code }) => [user, code]),
      told.map((_, index) => [person.sub, index < told.length - 1 ? 'temporarily_unavailable' : undefined]),
      'each invocation logs the user and how it failed',
    );
    assertProblem(await refresh(session.refresh), 401, 'refresh_token_invalid');
  }
  const outcome = await service.invoke('cognito/admin-sign-out', {
    detail: { eventName: 'AdminDisableUser' },
  });
  assert.equal(outcome.ok, false, 'an event without a user is an error, for the alarm on Lambda’s Errors');
});

test('revoking through Countersign ends its sessions and Cognito’s, once', async () => {
  const person = await createPerson(service);
  const { refresh: before } = await signIn(client, person);
  assert.equal((await administrator.revokeSessions(person.sub)).status, 204);
  const again = await signIn(client, person);
  await service.eventsDelivered();
  assertProblem(await refresh(before), 401, 'refresh_token_invalid');
  assert.equal((await refresh(again.refresh)).status, 200);
});
