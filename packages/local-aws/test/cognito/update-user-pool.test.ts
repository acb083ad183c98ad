import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  AdminInitiateAuthCommand,
  DescribeUserPoolCommand,
  UpdateUserPoolCommand,
  type UpdateUserPoolCommandInput,
} from '@aws-sdk/client-cognito-identity-provider';
import { named, password, poolId, run } from '../../testing/cognito.ts';

const update = (settings: Omit<UpdateUserPoolCommandInput, 'UserPoolId'>) =>
  new UpdateUserPoolCommand({ UserPoolId: poolId, ...settings });
const describe = new DescribeUserPoolCommand({ UserPoolId: poolId });

test('what an update leaves out goes back to its default; the schema and how users are named stay', async (t) => {
  const { admin } = await run(t, {
    properties: {
      DeletionProtection: 'ACTIVE',
      UserPoolTier: 'PLUS',
      Policies: { PasswordPolicy: { MinimumLength: 20 } },
      AutoVerifiedAttributes: ['email'],
      UsernameAttributes: ['email'],
      Schema: [{ Name: 'email', Required: true }],
      UserPoolTags: { team: 'identity', 'aws:cloudformation:stack-name': 'Somewhere' },
    },
  });
  const { UserPool: before } = await admin.send(describe);
  await admin.send(update({ UserPoolTags: { colour: 'blue' } }));
  const { UserPool: now } = await admin.send(describe);
  assert.equal(now?.DeletionProtection, 'INACTIVE');
  assert.equal(now.UserPoolTier, 'ESSENTIALS');
  assert.equal(now.Policies?.PasswordPolicy?.MinimumLength, 8);
  assert.equal(now.AutoVerifiedAttributes, undefined);
  assert.deepEqual(now.UserPoolTags, { colour: 'blue', 'aws:cloudformation:stack-name': 'Somewhere' });
  assert.deepEqual(now.UsernameAttributes, before?.UsernameAttributes);
  assert.deepEqual(now.SchemaAttributes, before?.SchemaAttributes);
  assert.equal(now.Name, before?.Name);
});

test('new triggers are called from the next sign-in on', async (t) => {
  const { admin, addUser } = await run(t, {
    triggers: {
      PreAuthentication: () => {
        throw new Error('closed');
      },
    },
  });
  await addUser('ada');
  const signIn = new AdminInitiateAuthCommand({
    UserPoolId: poolId,
    ClientId: 'app',
    AuthFlow: 'ADMIN_USER_PASSWORD_AUTH',
    AuthParameters: { USERNAME: 'ada', PASSWORD: password },
  });
  await assert.rejects(admin.send(signIn), named('UserLambdaValidationException'));
  await admin.send(update({ LambdaConfig: {} }));
  assert.ok((await admin.send(signIn)).AuthenticationResult);
});

test('an update lasts over a restart, until the template says something new', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'cognito-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const tierOf = async ({ admin }: Awaited<ReturnType<typeof run>>) =>
    (await admin.send(describe)).UserPool?.UserPoolTier;
  const first = await run(t, { folder });
  await first.admin.send(update({ UserPoolTier: 'LITE' }));
  assert.equal(await tierOf(await run(t, { folder })), 'LITE');
  assert.equal(
    await tierOf(await run(t, { folder, properties: { AliasAttributes: ['email'] } })),
    'ESSENTIALS',
  );
});

test('settings that contradict one another are refused, and change nothing', async (t) => {
  const { admin } = await run(t, { properties: { DeletionProtection: 'ACTIVE' } });
  const arn = 'arn:aws:lambda:eu-central-1:123456789012:function:';
  const PreTokenGenerationConfig = { LambdaArn: `${arn}one`, LambdaVersion: 'V2_0' as const };
  const refused: [Omit<UpdateUserPoolCommandInput, 'UserPoolId'>, string, RegExp][] = [
    [
      {
        Policies: { PasswordPolicy: { TemporaryPasswordValidityDays: 3 } },
        AdminCreateUserConfig: { UnusedAccountValidityDays: 3 },
      },
      'InvalidParameterException',
      /TemporaryPasswordValidityDays .* instead of UnusedAccountValidityDays/,
    ],
    [{ UserPoolTags: { 'aws:mine': 'no' } }, 'InvalidParameterException', /aws:/],
    [{ MfaConfiguration: 'ON' }, 'InvalidParameterException', /SMS configuration/],
    [
      { LambdaConfig: { PreTokenGenerationConfig, PreTokenGeneration: `${arn}two` } },
      'InvalidParameterException',
      /different functions/,
    ],
    [
      { LambdaConfig: { PreTokenGenerationConfig }, UserPoolTier: 'LITE' },
      'FeatureUnavailableInTierException',
      /V2_0/,
    ],
    [{ LambdaConfig: { CustomMessage: `${arn}one` } }, 'UnsupportedOperationException', /CustomMessage/],
  ];
  for (const [settings, name, message] of refused) {
    await assert.rejects(admin.send(update(settings)), named(name, message));
  }
  assert.equal((await admin.send(describe)).UserPool?.DeletionProtection, 'ACTIVE');
});

test('who may not update a pool is told so', async (t) => {
  const { clientFor } = await run(t);
  await assert.rejects(
    clientFor([]).send(update({})),
    named('AccessDeniedException', /cognito-idp:UpdateUserPool/),
  );
});
