import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  AddPermissionCommand,
  GetFunctionConfigurationCommand,
  GetPolicyCommand,
  InvokeCommand,
  LambdaClient,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { readDeployment } from '../../src/cloudformation/deployment.ts';
import { openFunctionPolicies } from '../../src/lambda/permissions.ts';
import { startRuntime } from '../../src/lambda/runtime.ts';
import { startLambda } from '../../src/lambda/server.ts';
import { writeAssembly } from '../../testing/assembly.ts';
import { ACCOUNT, allow, clientOf, createStage, REGION } from '../../testing/stage.ts';

const stage = createStage();
const arnOf = (name: string) => `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${name}`;
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
  folder: stage.folder,
});
const policies = openFunctionPolicies(deployment, stage.folder);
const folder = join(stage.folder, 'code');
mkdirSync(folder);
const source = `let count = 0;
exports.handler = async (event) => { if (event.fail) throw new RangeError('too far'); return { event, count: ++count }; };`;
writeFileSync(join(folder, 'index.js'), source);
const lambda = startRuntime({
  functions: [
    {
      name: 'verify',
      arn: arnOf('verify'),
      folder,
      handler: 'index.handler',
      timeoutSeconds: 10,
      memoryMb: 128,
      variables: {},
      credentials: { accessKeyId: 'ASIALOCAL', secretAccessKey: 'secret', sessionToken: 'token' },
      logGroup: '/aws/lambda/verify',
    },
  ],
  clock: stage.clock,
  region: REGION,
  endpoints: {},
  hosts: {},
});
const server = await startLambda({
  context: stage.context,
  runtime: lambda,
  deployment,
  policies,
});
const clients: LambdaClient[] = [];
after(async () => {
  for (const client of clients) client.destroy();
  await server.close();
  await lambda.close();
  stage.remove();
});

function clientFor(...actions: string[]): LambdaClient {
  const principal = stage.principal(`p${clients.length}`, actions.length > 0 ? [allow(actions, '*')] : []);
  const client = new LambdaClient(clientOf(principal, server.endpoint));
  clients.push(client);
  return client;
}
const administrator = clientFor('lambda:*');
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

async function invoke(event: object | string, client = administrator) {
  const Payload = typeof event === 'string' ? event : JSON.stringify(event);
  const answer = await client.send(new InvokeCommand({ FunctionName: 'verify', Payload }));
  return { ...answer, payload: JSON.parse(answer.Payload?.transformToString() ?? '') };
}

test('a function is invoked with an event, and answers with its payload or its error', async () => {
  const { payload, StatusCode, ExecutedVersion, FunctionError } = await invoke({ a: [1] });
  assert.deepEqual(payload.event, { a: [1] });
  assert.deepEqual([StatusCode, ExecutedVersion, FunctionError], [200, '$LATEST', undefined]);
  const failed = await invoke({ fail: true });
  assert.deepEqual([failed.StatusCode, failed.FunctionError], [200, 'Unhandled']);
  assert.deepEqual([failed.payload.errorType, failed.payload.errorMessage], ['RangeError', 'too far']);
});

test('what is no JSON, and an invocation that nobody waits for, are refused', async () => {
  await assert.rejects(invoke('no JSON'), named('InvalidRequestContentException', 400));
  const event = new InvokeCommand({ FunctionName: 'verify', InvocationType: 'Event', Payload: '{}' });
  await assert.rejects(administrator.send(event), named('InvalidParameterValueException', 400));
});

test('to invoke takes lambda:InvokeFunction', async () => {
  assert.equal((await invoke({}, clientFor('lambda:InvokeFunction'))).StatusCode, 200);
  await assert.rejects(invoke({}, clientFor('lambda:Invoke')), named('AccessDeniedException', 403));
});

test('another description is shown, and the function starts afresh', async () => {
  await invoke({});
  assert.ok((await invoke({})).payload.count > 1);
  const FunctionName = 'verify';
  const update = { FunctionName, Description: 'afresh' };
  const changed = await administrator.send(new UpdateFunctionConfigurationCommand(update));
  assert.deepEqual([changed.Description, changed.LastUpdateStatus], ['afresh', 'InProgress']);
  assert.match(changed.LastModified ?? '', /^\d{4}-\d\d-\d\dT[\d:.]{12}\+0000$/);
  const shown = await administrator.send(new GetFunctionConfigurationCommand({ FunctionName }));
  assert.deepEqual([shown.Description, shown.LastUpdateStatus], ['afresh', 'Successful']);
  assert.equal((await invoke({})).payload.count, 1);
  const unknown = new UpdateFunctionConfigurationCommand({ ...update, Timeout: 5 });
  await assert.rejects(administrator.send(unknown), named('InvalidParameterValueException', 400));
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
