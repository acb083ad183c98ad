import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ConfirmForgotPasswordCommand,
  ForgotPasswordCommand,
  InitiateAuthCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import '../../support/native-powers.ts';
import { clientOf, text } from '../../support/client.ts';
import {
  enrollFromCognito,
  fullSession,
  mailedCode,
  passwordSession,
} from '../../support/cognito-sign-in.ts';
import { cognitoOf, createPerson } from '../../support/people.ts';
import { serviceForTests } from '../../support/service.ts';

const DAY = 86_400;
const tenDaysOn = new Date(Date.now() + 10 * DAY * 1000).toISOString().slice(0, 10);
const service = await serviceForTests({
  globalSignOut: true,
  enrollment: { requiredAfter: tenDaysOn },
});
const client = clientOf(service);

async function refreshAtCognito(RefreshToken: string) {
  const cognito = cognitoOf(service);
  try {
    return await cognito.send(
      new InitiateAuthCommand({
        ClientId: service.local.cognito.clientId,
        AuthFlow: 'REFRESH_TOKEN_AUTH',
        AuthParameters: { REFRESH_TOKEN: RefreshToken },
      }),
    );
  } finally {
    cognito.destroy();
  }
}
const ended = { name: 'NotAuthorizedException' };

test('confirming, rotating and disabling each end the user’s Cognito sessions and say so', async () => {
  const person = await createPerson(service);
  const before = await passwordSession(service, person);
  await refreshAtCognito(before.refresh);
  const { confirmation, code, nextCode } = await enrollFromCognito(service, client, person);
  assert.equal(confirmation.body['cognitoSessionsEnded'], true);
  await assert.rejects(refreshAtCognito(before.refresh), ended);

  let current = await fullSession(service, person, code());
  for (const path of ['/v1/backup-codes/rotate', '/v1/authenticators/disable']) {
    await refreshAtCognito(current.refresh);
    const changed = await client.post(path, { code: nextCode() }, current.access);
    assert.equal(changed.body['cognitoSessionsEnded'], true, JSON.stringify(changed.body));
    await assert.rejects(refreshAtCognito(current.refresh), ended);
    if (path.endsWith('rotate')) current = await fullSession(service, person, nextCode());
  }
});

test('if Cognito’s sessions cannot be ended, the change stands and the response says so', async () => {
  const person = await createPerson(service);
  service.setFault(({ operation }) => (operation === 'AdminUserGlobalSignOut' ? 'error' : undefined));
  const { confirmation } = await enrollFromCognito(service, client, person);
  service.setFault(undefined);
  assert.equal(confirmation.body['cognitoSessionsEnded'], false);
});

test('a password reset by mail ends the Cognito sessions too', async () => {
  const person = await createPerson(service);
  const { refresh } = await passwordSession(service, person);
  const cognito = cognitoOf(service);
  const { clientId: ClientId } = service.local.cognito;
  await cognito.send(new ForgotPasswordCommand({ ClientId, Username: person.username }));
  await cognito.send(
    new ConfirmForgotPasswordCommand({
      ClientId,
      Username: person.username,
      ConfirmationCode: mailedCode(service, person),
      Password: 'Another-horse-8-long',
    }),
  );
  cognito.destroy();
  await assert.rejects(refreshAtCognito(refresh), ended);
});

test('from the configured date, both tokens of a user without a second factor require enrollment', async () => {
  const person = await createPerson(service);
  const required = async () => {
    const { claims } = await passwordSession(service, person);
    return [claims.access['enrollment_required'], claims.id['enrollment_required']];
  };
  assert.deepEqual(await required(), [undefined, undefined]);
  service.clock.advance(10 * DAY);
  assert.deepEqual(await required(), ['true', 'true']);
  assert.equal(
    text(
      await client.post('/v1/auth/login', { username: person.username, password: person.password }),
      'status',
    ),
    'authenticated',
  );
});
