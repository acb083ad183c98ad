// Login against a pool whose triggers fail or refuse, which needs its own deployment beside login.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DescribeUserPoolCommand,
  UpdateUserPoolCommand,
  type UserPoolType,
} from '@aws-sdk/client-cognito-identity-provider';
import { type Answer, assertProblem, clientOf } from '../support/client.ts';
import { assertUnavailable } from '../support/faults.ts';
import { cognitoOf, createPerson } from '../support/people.ts';
import { serviceForTests } from '../support/service.ts';

const lines: string[] = [];
// With this setting PreTokenGeneration reads the record at every sign-in.
const service = await serviceForTests(
  { enrollment: { requiredAfter: '2020-01-01' } },
  { onLog: (operation, line) => void (operation === 'login' && lines.push(line)) },
);
const client = clientOf(service);
const logIn = (username: string, password: string) => client.post('/v1/auth/login', { username, password });

/** Sets PreTokenGeneration, which throws on an unreadable record, as PreAuthentication trigger too. */
async function asPreAuthentication(): Promise<void> {
  const cognito = cognitoOf(service);
  const UserPoolId = service.local.cognito.userPoolId;
  const { UserPool = {} } = await cognito.send(new DescribeUserPoolCommand({ UserPoolId }));
  const { LambdaConfig = {} }: UserPoolType = UserPool;
  const PreAuthentication = LambdaConfig.PreTokenGenerationConfig?.LambdaArn;
  await cognito.send(
    new UpdateUserPoolCommand({ UserPoolId, LambdaConfig: { ...LambdaConfig, PreAuthentication } }),
  );
  cognito.destroy();
}

/** Runs `work` while PreTokenGeneration cannot read records. */
async function whileTriggerFails<T>(work: () => Promise<T>): Promise<T> {
  service.setFault(({ operation, principal }) =>
    operation === 'GetItem' && principal?.includes('-CognitoPreToken') ? 'error' : undefined,
  );
  try {
    return await work();
  } finally {
    service.setFault(undefined);
  }
}

const withoutId = ({ status, body }: Answer) => ({ status, body: { ...body, requestId: '' } });

test('if PreTokenGeneration fails, the right password gets a 503 and a wrong one invalid_credentials', async () => {
  const { username, password } = await createPerson(service);
  await whileTriggerFails(async () => {
    assertUnavailable(await logIn(username, password));
    assertProblem(await logIn(username, `${password}x`), 401, 'invalid_credentials');
  });
  assert.equal((await logIn(username, password)).status, 200);
});

test('a PreAuthentication trigger that refuses a user looks like a wrong password, and the log names the cause', async () => {
  const { username, password } = await createPerson(service);
  await asPreAuthentication();
  const [right, wrong, unknown] = await whileTriggerFails(async () => {
    lines.length = 0;
    return [
      await logIn(username, password),
      await logIn(username, `${password}x`),
      await logIn('nobody-of-this-name', password),
    ] as const;
  });
  assertProblem(unknown, 401, 'invalid_credentials');
  for (const refused of [right, wrong]) assert.deepEqual(withoutId(refused), withoutId(unknown));
  const causes = lines.flatMap((line) => JSON.parse(line)['cause'] ?? []);
  assert.deepEqual(
    causes.map(({ error, call }) => [error, call]),
    Array.from({ length: 2 }, () => [
      'UserLambdaValidationException',
      'CognitoIdentityProviderClient AdminInitiateAuthCommand',
    ]),
  );
  assert.equal((await logIn(username, password)).status, 200);
});
