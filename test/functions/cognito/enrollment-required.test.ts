import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../../support/native-powers.ts';
import { clientOf, signIn } from '../../support/client.ts';
import {
  answer,
  challenged,
  enrollFromCognito,
  fullSession,
  password,
  passwordSession,
  triggerCallsDuring,
} from '../../support/cognito-sign-in.ts';
import { createPerson } from '../../support/people.ts';
import { serviceForTests } from '../../support/service.ts';

const DAY = 86_400;
const service = await serviceForTests({ enrollment: { requiredAfterDays: 14 } });
const client = clientOf(service);
const required = ({ claims }: Awaited<ReturnType<typeof passwordSession>>) => [
  claims.access['enrollment_required'],
  claims.id['enrollment_required'],
];

test('from the configured days after the first sign-in, both tokens require enrollment until the user has enrolled', async () => {
  const person = await createPerson(service);
  assert.deepEqual(required(await passwordSession(service, person)), [undefined, undefined]);
  service.clock.advance(14 * DAY - 60);
  assert.deepEqual(required(await passwordSession(service, person)), [undefined, undefined]);
  service.clock.advance(120);
  const late = await passwordSession(service, person);
  assert.deepEqual(required(late), ['true', 'true']);

  const { session, nextCode } = await enrollFromCognito(service, client, person);
  assert.deepEqual(required(session), ['true', 'true'], 'the session that had to enroll could do so');
  assert.deepEqual(required(await fullSession(service, person, nextCode())), [undefined, undefined]);
});

test('a token refreshed after enrolling no longer requires enrollment', async () => {
  const person = await createPerson(service);
  await passwordSession(service, person);
  service.clock.advance(15 * DAY);
  const { code } = await enrollFromCognito(service, client, person);
  const user = await challenged(service, person);
  const signedIn = await answer(user, code());
  assert.ok(signedIn.kind === 'session');
  const { session } = signedIn;
  const refreshed = await new Promise<{ getAccessToken(): { payload: Record<string, unknown> } }>(
    (resolve, reject) =>
      user.refreshSession(session.getRefreshToken(), (error, renewed) =>
        error ? reject(error) : resolve(renewed),
      ),
  );
  assert.equal(refreshed.getAccessToken().payload['enrollment_required'], undefined);
});

test('the first sign-in is stored once and costs one read after that', async () => {
  const person = await createPerson(service);
  const calls = () => triggerCallsDuring(service, () => passwordSession(service, person));
  assert.deepEqual(await calls(), ['Define: GetItem', 'PreToken: GetItem', 'PreToken: UpdateItem']);
  assert.deepEqual(await calls(), ['Define: GetItem', 'PreToken: GetItem']);
});

test('Countersign’s own login keeps working beside it', async () => {
  const person = await createPerson(service);
  await signIn(client, person);
});

for (const fault of ['error', 'hang'] as const) {
  test(`if it cannot be read whether a user must enroll (${fault}), Cognito issues no token`, async () => {
    const person = await createPerson(service);
    let played = 0;
    service.setFault(({ principal }) =>
      principal?.includes('-CognitoPreToken') && ++played > 0 ? fault : undefined,
    );
    try {
      await assert.rejects(password(service, person), { name: 'UserLambdaValidationException' });
      assert.equal(played, 2, 'one invocation sends the call twice: Cognito did not call again');
    } finally {
      service.setFault(undefined);
    }
  });
}
