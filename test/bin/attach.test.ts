import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { DescribeUserPoolCommand, UpdateUserPoolCommand } from '@aws-sdk/client-cognito-identity-provider';
import { AddPermissionCommand } from '@aws-sdk/client-lambda';
import { needed } from '../../bin/doctor/read.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { accountWith, arnOf, lambdaConfig, own, runProgram } from './pools.ts';

const rich = {
  UserPoolName: 'Rich',
  LambdaConfig: { PreSignUp: arnOf('Foreign') },
  Policies: {
    PasswordPolicy: { MinimumLength: 14, RequireSymbols: false, TemporaryPasswordValidityDays: 3 },
  },
  AutoVerifiedAttributes: ['email'],
  UsernameAttributes: ['email'],
  UsernameConfiguration: { CaseSensitive: false },
  Schema: [
    { Name: 'email', Required: true, Mutable: true },
    { Name: 'tenant', AttributeDataType: 'String' },
  ],
  DeletionProtection: 'ACTIVE',
  UserPoolTier: 'PLUS',
  UserPoolAddOns: { AdvancedSecurityMode: 'ENFORCED' },
  AccountRecoverySetting: { RecoveryMechanisms: [{ Name: 'verified_email', Priority: 1 }] },
  AdminCreateUserConfig: {
    AllowAdminCreateUserOnly: true,
    InviteMessageTemplate: { EmailSubject: 'Welcome' },
  },
  EmailConfiguration: { EmailSendingAccount: 'DEVELOPER', From: 'id@shop.example' },
  EmailVerificationSubject: 'Your code',
  SmsAuthenticationMessage: 'Code {####}',
  SmsConfiguration: { SnsCallerArn: 'arn:aws:iam::111122223333:role/sms', ExternalId: 'shop' },
  VerificationMessageTemplate: { DefaultEmailOption: 'CONFIRM_WITH_LINK' },
  UserAttributeUpdateSettings: { AttributesRequireVerificationBeforeUpdate: ['email'] },
  UserPoolTags: { team: 'identity', 'aws:cloudformation:stack-name': 'Elsewhere' },
};

const account = await accountWith({
  Rich: { properties: rich },
  Plain: { properties: { LambdaConfig: {} } },
  Fresh: { properties: { LambdaConfig: {} } },
  Taken: {
    properties: {
      LambdaConfig: {
        ...lambdaConfig({ ...own, DefineAuthChallenge: 'Foreign' }),
        PreTokenGenerationConfig: undefined,
        PreTokenGeneration: arnOf('OwnPreTokenGenerationConfig'),
      },
    },
  },
  Mfa: {
    properties: { LambdaConfig: {}, MfaConfiguration: 'OPTIONAL' },
  },
  Lite: { properties: { LambdaConfig: {}, UserPoolTier: 'LITE' } },
  Unpermitted: { properties: { LambdaConfig: {} }, permits: [] },
  Moving: { properties: { LambdaConfig: {} } },
});
const folder = scratchFolder('attach');
after(() => rmSync(folder, { recursive: true, force: true }));
const outputs = join(folder, 'outputs.json');
writeFileSync(
  outputs,
  JSON.stringify({
    CountersignApi: { Url: 'https://id.example' },
    CountersignIdentity: Object.fromEntries(
      [...needed.keys()].map((name) => [`Trigger${name}`, account.functionArn(`Own${name}`)]),
    ),
  }),
);

const attach = (pool: string, flags: string[] = [], environment = account.environment()) =>
  runProgram('attach', ['--user-pool-id', account.idOf(pool), '--outputs', outputs, ...flags], environment);

async function described(pool: string) {
  const { UserPool } = await account.cognito.send(
    new DescribeUserPoolCommand({ UserPoolId: account.idOf(pool) }),
  );
  return UserPool ?? assert.fail();
}

/** Returns the operations that are called while `work` runs. */
async function calledDuring(work: () => Promise<unknown>): Promise<string[]> {
  const before = account.calls.length;
  await work();
  return account.calls.slice(before).map(({ operation }) => operation);
}

test('without --apply it shows what would change, and changes nothing', async () => {
  const before = await described('Rich');
  const called = await calledDuring(async () => {
    const { code, out, err } = await attach('Rich');
    assert.deepEqual([code, err], [0, '']);
    assert.match(out, /\+ DefineAuthChallenge: arn:aws:lambda:/);
    assert.match(out, /Kept as they are: .*\bPolicies\b.*\bUserPoolTags\b/);
    assert.match(out, /belongs to the CloudFormation stack Elsewhere/);
    assert.match(out, /Nothing has been changed/);
  });
  assert.ok(!called.includes('UpdateUserPool'));
  assert.deepEqual(await described('Rich'), before);
});

test('with --apply it sets the triggers and leaves every other setting as it was', async () => {
  const before = await described('Plain');
  const { code, out, err } = await attach('Plain', ['--apply']);
  assert.deepEqual([code, err], [0, ''], out);
  assert.match(out, /Done: read again/);
  const { LambdaConfig, ...now } = await described('Plain');
  const { LambdaConfig: _, ...then } = before;
  assert.deepEqual(now, then);
  assert.equal(LambdaConfig?.PreTokenGenerationConfig?.LambdaVersion, 'V2_0');
  for (const name of ['DefineAuthChallenge', 'CreateAuthChallenge', 'PostConfirmation'] as const) {
    assert.equal(LambdaConfig?.[name], account.functionArn(`Own${name}`));
  }
  const again = await calledDuring(async () => {
    const { code, out } = await attach('Plain', ['--apply']);
    assert.equal(code, 0);
    assert.match(out, /nothing to do/);
  });
  assert.deepEqual(again, ['DescribeUserPool']);
  const checked = await runProgram(
    'doctor',
    ['--user-pool-id', account.idOf('Plain')],
    account.environment(),
  );
  assert.equal(checked.code, 0, checked.out);
});

test('a pool that uses every setting keeps them all, its other triggers and its tags', async () => {
  const { LambdaConfig: triggersBefore, ...before } = await described('Rich');
  const { code, out, err } = await attach('Rich', ['--apply']);
  assert.deepEqual([code, err], [0, ''], out);
  const { LambdaConfig, ...now } = await described('Rich');
  assert.equal(LambdaConfig?.PreSignUp, triggersBefore?.PreSignUp);
  assert.equal(LambdaConfig?.DefineAuthChallenge, account.functionArn('OwnDefineAuthChallenge'));
  assert.deepEqual(now, before);
});

test('a setting that an update leaves out is reset', async () => {
  const UserPoolId = account.idOf('Fresh');
  await account.cognito.send(
    new UpdateUserPoolCommand({
      UserPoolId,
      DeletionProtection: 'ACTIVE',
      AutoVerifiedAttributes: ['email'],
    }),
  );
  await account.cognito.send(new UpdateUserPoolCommand({ UserPoolId, LambdaConfig: {} }));
  const pool = await described('Fresh');
  assert.equal(pool.DeletionProtection, 'INACTIVE');
  assert.equal(pool.AutoVerifiedAttributes, undefined);
});

test('another function is replaced only with --replace, and the old name of the token trigger is removed', async () => {
  const refused = await attach('Taken', ['--apply']);
  assert.equal(refused.code, 1);
  assert.match(refused.out, /! DefineAuthChallenge: .*Foreign/);
  assert.match(refused.err, /^attach: .*--replace/);
  assert.match((await described('Taken')).LambdaConfig?.DefineAuthChallenge ?? '', /Foreign/);

  const { code, out, err } = await attach('Taken', ['--apply', '--replace']);
  assert.deepEqual([code, err], [0, ''], out);
  assert.match(out, /- PreTokenGenerationConfig: .* \(V1_0\)/);
  const { LambdaConfig } = await described('Taken');
  assert.equal(LambdaConfig?.PreTokenGeneration, undefined);
  assert.equal(LambdaConfig?.DefineAuthChallenge, account.functionArn('OwnDefineAuthChallenge'));
});

test('settings that an update could not keep are listed, and nothing is changed', async () => {
  const unusable: [string, RegExp][] = [
    [
      'Mfa',
      /MfaConfiguration is OPTIONAL.*nothing but their password.*set-user-pool-mfa-config --region eu-central-1 /,
    ],
    ['Lite', /UserPoolTier is LITE/],
  ];
  for (const [pool, expected] of unusable) {
    const called = await calledDuring(async () => {
      const { code, out, err } = await attach(pool, ['--apply']);
      assert.equal(code, 1);
      assert.match(out, expected);
      assert.match(err, /^attach: Not everything could be kept\.\n$/);
    });
    assert.ok(!called.includes('UpdateUserPool'));
  }
});

test('a function that Cognito may not invoke is refused, with the command that permits it', async () => {
  const refused = await attach('Unpermitted', ['--apply']);
  assert.equal(refused.code, 1);
  const commands = [...refused.out.matchAll(/aws lambda add-permission (.*)/g)];
  assert.equal(commands.length, 5);
  for (const [, given = ''] of commands) {
    const flag = (name: string) => new RegExp(`--${name} (\\S+)`).exec(given)?.[1];
    await account.lambda.send(
      new AddPermissionCommand({
        FunctionName: flag('function-name'),
        StatementId: flag('statement-id'),
        Action: flag('action'),
        Principal: flag('principal'),
        SourceArn: flag('source-arn'),
      }),
    );
  }
  const { code, out } = await attach('Unpermitted', ['--apply']);
  assert.equal(code, 0, out);
});

test('a pool with a setting that this version does not know is never updated', async () => {
  const endpoint = await altering((pool) => {
    pool['SecondMoon'] = { Enabled: true };
    (pool['Policies'] as Record<string, unknown>)['NewPolicy'] = {};
  });
  const { code, out } = await attach('Moving', ['--apply'], account.environment(undefined, endpoint));
  assert.equal(code, 1);
  assert.match(out, /describes SecondMoon, which/);
  assert.match(out, /describes Policies\.NewPolicy, which/);
  assert.deepEqual((await described('Moving')).LambdaConfig, {});
});

test('a setting that differs after the update is reported, with exit 1', async () => {
  let described = 0;
  const endpoint = await altering((pool) => {
    described += 1;
    if (described > 1) pool['DeletionProtection'] = 'ACTIVE';
  });
  const { code, out, err } = await attach('Moving', ['--apply'], account.environment(undefined, endpoint));
  assert.equal(code, 1);
  assert.match(out, /! DeletionProtection should be "INACTIVE" and is "ACTIVE"/);
  assert.match(err, /more has changed than should have/);
});

test('flags take precedence over the outputs file; a fault is one line and exit 2', async () => {
  const define = account.functionArn('OtherDefineAuthChallenge');
  const { out } = await attach('Lite', ['--define', define]);
  assert.ok(out.includes(`+ DefineAuthChallenge: ${define}`), out);

  const id = ['--user-pool-id', account.idOf('Lite')];
  const stranger = account.environment(account.principal('stranger', []));
  const faults: [string[], Record<string, string>, RegExp][] = [
    [[], {}, /--user-pool-id is missing/],
    [['--nope'], {}, /'--nope'/],
    [id, {}, /There is no function for DefineAuthChallenge: pass --define ARN, or --outputs FILE/],
    [[...id, '--define', 'mine'], {}, /"mine" is not the ARN of a function/],
    [[...id, '--outputs', join(folder, 'none.json')], {}, /cannot be read: ENOENT/],
    [[...id, '--outputs', outputs, '--stack', 'Elsewhere'], {}, /no outputs of the stack Elsewhere/],
    [[...id, '--outputs', outputs], stranger, /AccessDeniedException/],
  ];
  for (const [parameters, environment, expected] of faults) {
    const { code, err } = await runProgram('attach', parameters, environment);
    assert.equal(code, 2, err);
    assert.match(err, expected);
    assert.equal(err.trim().split('\n').length, 1, err);
  }
});

/** Starts a proxy that changes Cognito's descriptions of pools. Returns its URL. */
async function altering(change: (pool: Record<string, unknown>) => void): Promise<string> {
  const target = new URL(account.endpoints.cognito);
  const server = createServer((incoming, outgoing) => {
    const { method, headers } = incoming;
    const forwarded = request(target, { method, headers, agent: false }, async (answer) => {
      const chunks: Buffer[] = [];
      for await (const chunk of answer) chunks.push(chunk);
      const body = JSON.parse(Buffer.concat(chunks).toString('utf8'));
      if (body.UserPool) change(body.UserPool);
      outgoing.writeHead(answer.statusCode ?? 0, { 'content-type': 'application/x-amz-json-1.1' });
      outgoing.end(JSON.stringify(body));
    });
    incoming.pipe(forwarded);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
