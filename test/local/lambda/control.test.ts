import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import {
  AddPermissionCommand,
  GetFunctionConfigurationCommand,
  GetPolicyCommand,
  LambdaClient,
} from '@aws-sdk/client-lambda';
import { configurationOf } from '../../../local/lambda/configuration.ts';
import { startLambdaControl } from '../../../local/lambda/control.ts';
import { openFunctionPolicies } from '../../../local/lambda/permissions.ts';
import { openIdentifiers } from '../../../local/template/identifiers.ts';
import { readDeployment } from '../../../local/template.ts';
import { writeAssembly } from '../assembly.ts';
import { ACCOUNT, allow, clientOf, createStage, REGION } from '../aws/stage.ts';

const stage = createStage();
const api = 'apigateway.amazonaws.com';
const assembly = writeAssembly(`${stage.folder}/assembly`, {
  Account: {
    Resources: {
      Verify: {
        Type: 'AWS::Lambda::Function',
        Properties: { FunctionName: 'verify', Environment: { Variables: { TABLE_NAME: 'records' } } },
      },
      Alone: { Type: 'AWS::Lambda::Function', Properties: { FunctionName: 'alone' } },
      Permission: {
        Type: 'AWS::Lambda::Permission',
        Properties: {
          Action: 'lambda:InvokeFunction',
          FunctionName: 'verify',
          Principal: api,
          SourceArn: 'arn:aws:execute-api:*:*:abc/*',
          SourceAccount: ACCOUNT,
        },
      },
    },
  },
});
const deployment = readDeployment({
  assembly,
  region: REGION,
  account: ACCOUNT,
  identifiers: openIdentifiers(stage.folder),
});
const policies = openFunctionPolicies(deployment, stage.folder);
const server = await startLambdaControl({
  surroundings: stage.surroundings,
  functions: deployment.resources('AWS::Lambda::Function').map(configurationOf),
  policies,
});
const clients: LambdaClient[] = [];
after(async () => {
  for (const client of clients) client.destroy();
  await server.close();
  stage.remove();
});

function clientFor(...actions: string[]): LambdaClient {
  const principal = stage.principal(`p${clients.length}`, actions.length > 0 ? [allow(actions, '*')] : []);
  const client = new LambdaClient(clientOf(principal, server.endpoint));
  clients.push(client);
  return client;
}
const administrator = clientFor('lambda:*');
const arnOf = (name: string) => `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${name}`;
const named =
  (name: string, status: number) =>
  (error: unknown): boolean => {
    const { name: given, $metadata } = error as { name: string; $metadata?: { httpStatusCode?: number } };
    assert.deepEqual([given, $metadata?.httpStatusCode], [name, status]);
    return true;
  };

async function policyOf(FunctionName: string) {
  const { Policy = '' } = await administrator.send(new GetPolicyCommand({ FunctionName }));
  return JSON.parse(Policy) as { Statement: { Sid: string }[] };
}

test("a function's policy holds the template's permissions, by name and by ARN", async () => {
  const policy = await policyOf('verify');
  assert.deepEqual(policy.Statement, [
    {
      Sid: 'Account-Permission',
      Effect: 'Allow',
      Principal: { Service: api },
      Action: 'lambda:InvokeFunction',
      Resource: arnOf('verify'),
      Condition: {
        StringEquals: { 'AWS:SourceAccount': ACCOUNT },
        ArnLike: { 'AWS:SourceArn': 'arn:aws:execute-api:*:*:abc/*' },
      },
    },
  ]);
  assert.deepEqual(await policyOf(arnOf('verify')), policy);
});

test('no policy and no function are both not found', async () => {
  for (const FunctionName of ['alone', 'nobody']) {
    const command = new GetPolicyCommand({ FunctionName });
    await assert.rejects(administrator.send(command), named('ResourceNotFoundException', 404));
  }
});

test('a permission that is added permits, is shown, lasts, and is added once', async () => {
  const SourceArn = `arn:aws:cognito-idp:${REGION}:${ACCOUNT}:userpool/one`;
  const cognito = 'cognito-idp.amazonaws.com';
  assert.equal(policies.mayInvoke(arnOf('alone'), cognito, SourceArn), false);
  const command = new AddPermissionCommand({
    FunctionName: 'alone',
    StatementId: 'cognito',
    Action: 'lambda:InvokeFunction',
    Principal: cognito,
    SourceArn,
  });
  await administrator.send(command);
  assert.equal(policies.mayInvoke(arnOf('alone'), cognito, SourceArn), true);
  assert.equal(policies.mayInvoke(arnOf('alone'), cognito, `${SourceArn}s`), false);
  assert.equal(policies.mayInvoke(arnOf('alone'), api, SourceArn), false);
  assert.equal(policies.mayInvoke(arnOf('verify'), cognito, SourceArn), false);
  assert.deepEqual(
    (await policyOf('alone')).Statement.map(({ Sid }) => Sid),
    ['cognito'],
  );
  const reopened = openFunctionPolicies(deployment, stage.folder);
  assert.equal(reopened.mayInvoke(arnOf('alone'), cognito, SourceArn), true);
  await assert.rejects(administrator.send(command), named('ResourceConflictException', 409));
});

test('a function is described with its environment', async () => {
  const shown = await administrator.send(new GetFunctionConfigurationCommand({ FunctionName: 'verify' }));
  assert.equal(shown.FunctionArn, arnOf('verify'));
  assert.deepEqual(shown.Environment?.Variables, { TABLE_NAME: 'records' });
});

test('who has not the permission, or no right signature, is refused by 403', async () => {
  const command = new GetPolicyCommand({ FunctionName: 'verify' });
  await assert.rejects(clientFor().send(command), named('AccessDeniedException', 403));
  await assert.rejects(
    clientFor('lambda:GetPolicy').send(new GetFunctionConfigurationCommand({ FunctionName: 'verify' })),
    named('AccessDeniedException', 403),
  );
  const principal = stage.principal('impostor', [allow('*', '*')]);
  const impostor = new LambdaClient(clientOf({ ...principal, secretAccessKey: 'other' }, server.endpoint));
  clients.push(impostor);
  await assert.rejects(impostor.send(command), named('InvalidSignatureException', 403));
  assert.equal((await fetch(`${server.endpoint}/2015-03-31/functions/verify/policy`)).status, 403);
});
