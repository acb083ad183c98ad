import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Statement } from '@countersign/local-aws/iam';
import { codes } from '../../bin/doctor/finding.ts';
import { serviceForTests } from '../support/service.ts';
import { accountWith, arnOf, environmentOf, lambdaConfig, own, runProgram, soundClient } from './pools.ts';

const flows = (...ExplicitAuthFlows: string[]) => ({ ...soundClient, ExplicitAuthFlows });
const without = (name: string) => {
  const { [name]: _, ...rest } = soundClient as Record<string, unknown>;
  return rest;
};
const loginClient = flows('ALLOW_ADMIN_USER_PASSWORD_AUTH');

const account = await accountWith(
  {
    Sound: { clients: { apps: soundClient, 'countersign-login': loginClient } },
    Flows: {
      clients: {
        srp: flows('ALLOW_CUSTOM_AUTH', 'ALLOW_USER_SRP_AUTH'),
        password: flows('ALLOW_CUSTOM_AUTH', 'ALLOW_USER_PASSWORD_AUTH'),
        choice: flows('ALLOW_USER_AUTH'),
        standard: without('ExplicitAuthFlows'),
        legacy: flows('ADMIN_NO_SRP_AUTH'),
        careful: flows('CUSTOM_AUTH_FLOW_ONLY'),
        backend: loginClient,
      },
    },
    Clients: {
      properties: { UserPoolName: 'Clients' },
      identityProviders: [{ name: 'Corporate', type: 'SAML' }],
      clients: {
        hosted: {
          ...soundClient,
          AllowedOAuthFlowsUserPoolClient: true,
          AllowedOAuthFlows: ['code'],
          CallbackURLs: ['https://app.example'],
          SupportedIdentityProviders: ['COGNITO', 'Corporate'],
        },
        machine: {
          ...soundClient,
          AllowedOAuthFlowsUserPoolClient: true,
          AllowedOAuthFlows: ['client_credentials'],
          GenerateSecret: true,
        },
        talkative: without('PreventUserExistenceErrors'),
        unrevocable: { ...soundClient, EnableTokenRevocation: false },
        slow: { ...soundClient, AccessTokenValidity: 61 },
        standard: without('AccessTokenValidity'),
      },
    },
    Bare: { properties: { LambdaConfig: {} } },
    Second: {
      properties: {
        MfaConfiguration: 'OPTIONAL',
        DeviceConfiguration: { ChallengeRequiredOnNewDevice: true },
      },
    },
    Mixed: {
      properties: {
        LambdaConfig: {
          ...lambdaConfig({
            ...own,
            CreateAuthChallenge: 'OtherCreateAuthChallenge',
            VerifyAuthChallengeResponse: 'OwnDefineAuthChallenge',
            PostConfirmation: 'Foreign',
          }),
          DefineAuthChallenge: 'arn:aws:lambda:eu-central-1:111122223333:function:gone',
        },
      },
      permits: [
        'OwnPreTokenGenerationConfig',
        'OwnDefineAuthChallenge',
        'OtherCreateAuthChallenge',
        'Foreign',
      ],
    },
    Unpermitted: { permits: ['OwnDefineAuthChallenge'] },
    Old: {
      properties: {
        LambdaConfig: {
          ...lambdaConfig({ ...own, PostConfirmation: 'OtherPostConfirmation' }),
          PreTokenGenerationConfig: undefined,
          PreTokenGeneration: arnOf('OwnPreTokenGenerationConfig'),
        },
      },
      permits: [...Object.values(own)],
    },
    Many: {
      clients: {
        ...Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`app${index}`, soundClient])),
        last: flows('ALLOW_USER_SRP_AUTH'),
      },
    },
  },
  {
    // The first has the wrong account number, the second is open to anybody.
    OwnCreateAuthChallenge: {
      SourceArn: 'arn:aws:cognito-idp:eu-central-1:999999999999:userpool/eu-central-1_Elsewhere',
    },
    OtherPostConfirmation: {},
  },
);

const doctor = (pool: string, ...flagsGiven: string[]) =>
  runProgram('doctor', ['--user-pool-id', account.idOf(pool), ...flagsGiven], account.environment());

/** Returns the findings as `code subject`, clients by their names. */
async function findings(pool: string, ...flagsGiven: string[]): Promise<string[]> {
  const { code, out, err } = await doctor(pool, '--json', ...flagsGiven);
  assert.equal(err, '');
  const report = JSON.parse(out) as { findings: { code: string; subject: string; about: string }[] };
  assert.equal(code, report.findings.length > 0 ? 1 : 0);
  seen.push(...report.findings.map((finding) => finding.code));
  return report.findings.map(
    ({ code: what, subject, about }) => `${what} ${/"(.*)"/.exec(about)?.[1] ?? subject}`,
  );
}
const seen: string[] = [];

test('a sound pool passes: exit 0 and one clear line', async () => {
  const { code, out, err } = await doctor('Sound');
  assert.deepEqual([code, err], [0, '']);
  assert.match(out, /2 app clients, 5 trigger functions/);
  assert.match(out, /Nothing found: no way round the second factor/);
});

test('every flow that returns tokens after the password is found, under all its names', async () => {
  assert.deepEqual(await findings('Flows'), [
    'user-srp srp',
    'user-password password',
    'user-auth choice',
    'default-flows standard',
    'legacy-flows legacy',
    'admin-password legacy',
    'legacy-flow-names careful',
    'admin-password backend',
  ]);
});

test('managed login, other identity providers and unsafe client settings are found; client_credentials is not', async () => {
  assert.deepEqual(await findings('Clients'), [
    'managed-login hosted',
    'federated-sign-in hosted',
    'user-existence-errors talkative',
    'token-revocation-off unrevocable',
    'long-access-tokens slow',
  ]);
});

test('a missing trigger is found, and it is a hole if NEW_PASSWORD_REQUIRED then returns tokens', async () => {
  assert.deepEqual(await findings('Bare'), [
    'token-trigger-missing PreTokenGenerationConfig',
    'challenge-trigger-missing DefineAuthChallenge',
    'challenge-trigger-missing CreateAuthChallenge',
    'challenge-trigger-missing VerifyAuthChallengeResponse',
    'confirmation-trigger-missing PostConfirmation',
  ]);
});

test("the pool's own MFA and remembered devices are found", async () => {
  const id = account.idOf('Second');
  assert.deepEqual(await findings('Second'), [`pool-mfa ${id}`, `remembered-devices ${id}`]);
});

test('a trigger set to a wrong, a foreign or a missing function, or to another deployment, is found', async () => {
  assert.deepEqual(await findings('Mixed'), [
    'trigger-other-deployment CreateAuthChallenge',
    'trigger-not-countersign VerifyAuthChallengeResponse',
    'trigger-not-countersign PostConfirmation',
    'trigger-gone DefineAuthChallenge',
  ]);
});

test('a function that Cognito may not invoke for this pool is found', async () => {
  assert.deepEqual(await findings('Unpermitted'), [
    'invoke-permission-missing CreateAuthChallenge',
    'invoke-permission-missing VerifyAuthChallengeResponse',
    'invoke-permission-missing PreTokenGenerationConfig',
    'invoke-permission-missing PostConfirmation',
  ]);
});

test('the old token trigger, and a function that any pool can invoke, are found', async () => {
  assert.deepEqual(await findings('Old'), [
    'trigger-other-deployment PostConfirmation',
    'token-trigger-version PreTokenGenerationConfig',
    'invoke-permission-open PostConfirmation',
  ]);
});

test('every page of clients is read', async () => {
  assert.deepEqual(await findings('Many'), ['user-srp last']);
});

test('the tests above find every kind of finding', () => {
  assert.deepEqual([...new Set(seen)].sort(), Object.keys(codes).sort());
});

test('an accepted finding is shown and does not count, only for the subject it names', async () => {
  const backend = account.clientOf('Flows', 'backend');
  const left = await findings('Flows', '--accept', `admin-password:${backend}`, '--accept', 'user-srp');
  assert.ok(!left.includes('user-srp srp') && !left.includes('admin-password backend'), left.join());
  assert.ok(left.includes('admin-password legacy'));
  assert.ok(!(await findings('Flows', '--login-client', backend)).includes('admin-password backend'));
  assert.deepEqual(
    (await findings('Mixed', '--accept', 'trigger-not-countersign:PostConfirmation')).filter((finding) =>
      finding.startsWith('trigger-not-countersign'),
    ),
    ['trigger-not-countersign VerifyAuthChallengeResponse'],
  );
  const id = account.idOf('Second');
  const { code, out } = await doctor(
    'Second',
    '--accept',
    `pool-mfa:${id}`,
    '--accept',
    'remembered-devices',
  );
  assert.equal(code, 0);
  assert.match(out, /accepted: pool-mfa/);
});

test('each finding shows what was found, why it matters and the remedy; no secret is shown', async () => {
  const { out } = await doctor('Unpermitted');
  assert.match(out, /BROKEN {2}invoke-permission-missing {2}trigger CreateAuthChallenge/);
  assert.match(out, /remedy {2}aws lambda add-permission .*--source-arn arn:aws:cognito-idp:eu-central-1:/);
  assert.match(out, /4 findings: 4 broken/);
  assert.match(
    (await doctor('Second')).out,
    /HOLE {2}pool-mfa [\s\S]*remedy {2}.*nothing but their password.*: aws cognito-idp set-user-pool-mfa-config .*OFF$/m,
  );
  const [text, json] = await Promise.all([doctor('Clients'), doctor('Clients', '--json')]);
  assert.doesNotMatch(text.out + json.out, /ClientSecret|[0-9a-f]{64}/);
});

test('a fault is one line and exit 2', async () => {
  const environment = account.environment();
  const stranger = account.principal('stranger', []);
  const sound = ['--user-pool-id', account.idOf('Sound')];
  const faults: [string[], Record<string, string>, RegExp][] = [
    [[], environment, /--user-pool-id is missing/],
    [['--user-pool-id', 'mine'], environment, /takes the id of a pool.*not "mine"/],
    [['--nope'], environment, /'--nope'/],
    [[...sound, '--accept', 'nothing'], environment, /"nothing" is none/],
    [
      ['--user-pool-id', 'eu-central-1_Nowhere'],
      environment,
      /ResourceNotFoundException: .*eu-central-1_Nowhere/,
    ],
    [sound, account.environment(stranger), /AccessDeniedException: .*cognito-idp:DescribeUserPool/],
    [sound, {}, /Could not load credentials/],
    [
      sound,
      { ...environment, AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER: 'http://127.0.0.1:9' },
      /ECONNREFUSED|bad port/,
    ],
  ];
  for (const [parameters, variables, expected] of faults) {
    const { code, out, err } = await runProgram('doctor', parameters, variables);
    assert.equal(code, 2, err);
    assert.equal(out, '');
    assert.match(err, expected);
    assert.equal(err.trim().split('\n').length, 1, err);
  }
});

const guide = readFileSync(join(import.meta.dirname, '../../docs/doctor.md'), 'utf8');

test('the policy in docs/doctor.md is enough, and allows nothing that is not needed', async () => {
  const [, text = ''] = /```json\n([\s\S]*?)\n```/.exec(guide) ?? [];
  const filled = text
    .replaceAll('REGION', 'eu-central-1')
    .replaceAll('ACCOUNT', '111122223333')
    .replaceAll('POOL_ID', account.idOf('Sound'));
  const { Statement: statements } = JSON.parse(filled) as { Statement: Statement[] };
  const reader = account.principal('reader', statements);
  const before = account.calls.length;
  const { code, err } = await runProgram(
    'doctor',
    ['--user-pool-id', account.idOf('Sound')],
    account.environment(reader),
  );
  assert.deepEqual([code, err], [0, '']);
  const called = account.calls.slice(before).map(({ service, operation }) => `${service}:${operation}`);
  assert.deepEqual(statements.flatMap(({ Action }) => Action).sort(), [...new Set(called)].sort());
});

test('docs/doctor.md explains every finding, with its severity', () => {
  const explained = [...guide.matchAll(/^\| `([a-z-]+)` +\| (\w+) +\|/gm)].map(([, code, severity]) => [
    code,
    severity,
  ]);
  assert.deepEqual(
    explained.sort(),
    Object.entries(codes)
      .map(([code, { severity }]) => [code, severity])
      .sort(),
  );
});

test('the pool that "cdk deploy" makes is sound', async () => {
  const { local } = await serviceForTests();
  const { code, out, err } = await runProgram('doctor', ['--user-pool-id', local.cognito.userPoolId], {
    ...environmentOf(local.operator),
    AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER: local.cognito.endpoint,
    AWS_ENDPOINT_URL_LAMBDA: local.lambda.endpoint,
  });
  assert.deepEqual([code, err], [0, ''], out);
  assert.match(out, /2 app clients, 5 trigger functions/);
});
