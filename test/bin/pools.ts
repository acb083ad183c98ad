import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { CognitoIdentityProviderClient } from '@aws-sdk/client-cognito-identity-provider';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { readDeployment } from '@countersign/local-aws/cloudformation';
import { startCognito } from '@countersign/local-aws/cognito';
import { poolDefinitions } from '@countersign/local-aws/cognito/template';
import type { Principal } from '@countersign/local-aws/iam';
import { startLambda } from '@countersign/local-aws/lambda';
import { openFunctionPolicies } from '@countersign/local-aws/lambda/permissions';
import { writeAssembly } from '@countersign/local-aws/testing/assembly';
import { ACCOUNT, allow, clientOf, createStage, REGION } from '@countersign/local-aws/testing/stage';
import { needed } from '../../bin/doctor/read.ts';

const root = join(import.meta.dirname, '../..');

/** A user pool that was made without Countersign. */
export interface SomePool {
  /** Of AWS::Cognito::UserPool. A LambdaConfig here replaces Countersign's. */
  properties?: Record<string, unknown>;
  /** Properties of AWS::Cognito::UserPoolClient, by name. */
  clients?: Record<string, Record<string, unknown>>;
  /**
   * Functions that Cognito may invoke for it.
   *
   * @default Countersign's
   */
  permits?: string[];
  identityProviders?: { name: string; type: string }[];
}

/** An app client as the identity stack makes it. */
export const soundClient = {
  ExplicitAuthFlows: ['ALLOW_CUSTOM_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
  PreventUserExistenceErrors: 'ENABLED',
  EnableTokenRevocation: true,
  AccessTokenValidity: 15,
  TokenValidityUnits: { AccessToken: 'minutes' },
  SupportedIdentityProviders: ['COGNITO'],
};

/** Logical ids of Countersign's functions, by their names in LambdaConfig. */
export const own = Object.fromEntries([...needed.keys()].map((name) => [name, `Own${name}`]));

export const arnOf = (logicalId: string) => ({ 'Fn::GetAtt': [logicalId, 'Arn'] });

/** Returns a LambdaConfig from the logical id of each trigger's function. */
export function lambdaConfig(ids: Record<string, string>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(ids).map(([name, id]) => [
      name,
      name === 'PreTokenGenerationConfig' ? { LambdaArn: arnOf(id), LambdaVersion: 'V2_0' } : arnOf(id),
    ]),
  );
}

/**
 * Starts an account with these pools behind the real protocols, and stops it after the file's tests. It has
 * the functions of one Countersign (`Own…`) and of another (`Other…`), and a function that belongs to neither
 * (`Foreign`).
 *
 * @param permissions more AWS::Lambda::Permission properties, by the function's logical id
 */
export async function accountWith(
  pools: Record<string, SomePool>,
  permissions: Record<string, Record<string, unknown>> = {},
) {
  const stage = createStage();
  const { context, folder } = stage;
  const assembly = writeAssembly(join(folder, 'assembly'), { Account: template(pools, permissions) });
  const deployment = readDeployment({
    assembly,
    region: REGION,
    account: ACCOUNT,
    folder,
  });
  const definitions = poolDefinitions(deployment).map((definition) => ({
    ...definition,
    identityProviders: pools[definition.name]?.identityProviders ?? [],
  }));
  const start = async () => {
    mkdirSync(join(folder, 'cognito'), { recursive: true });
    mkdirSync(join(folder, 'lambda'), { recursive: true });
    return Promise.all([
      startCognito({
        context,
        folder: join(folder, 'cognito'),
        pools: definitions,
        invokeTrigger: () => Promise.reject(new Error('Nobody signs in here.')),
      }),
      startLambda({
        context,
        deployment,
        policies: openFunctionPolicies(deployment, join(folder, 'lambda')),
      }),
    ]);
  };
  const [cognito, lambda] = await start();
  const administrator = stage.principal('administrator', [allow('*', '*')]);
  const sdk = {
    cognito: new CognitoIdentityProviderClient(clientOf(administrator, cognito.endpoint)),
    lambda: new LambdaClient(clientOf(administrator, lambda.endpoint)),
  };
  after(async () => {
    sdk.cognito.destroy();
    sdk.lambda.destroy();
    await Promise.all([cognito.close(), lambda.close()]);
    stage.remove();
  });
  const definition = (name: string) => {
    const found = definitions.find((candidate) => candidate.name === name);
    if (!found) throw new Error(`No pool ${name}.`);
    return found;
  };
  return {
    ...sdk,
    calls: stage.calls,
    principal: stage.principal,
    idOf: (name: string) => definition(name).id,
    poolArnOf: (name: string) => definition(name).arn,
    clientOf(pool: string, name: string) {
      const found = definition(pool).clients.find(({ properties }) => properties['ClientName'] === name);
      return found?.id ?? '';
    },
    functionArn(logicalId: string) {
      const found = deployment
        .resources('AWS::Lambda::Function')
        .find((resource) => resource.logicalId === logicalId);
      return found?.attribute('Arn') ?? '';
    },
    endpoints: { cognito: cognito.endpoint, lambda: lambda.endpoint },
    /** Returns the environment of a program that runs as this principal. */
    environment: (principal: Principal = administrator, endpoint = cognito.endpoint) => ({
      ...environmentOf(principal),
      AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER: endpoint,
      AWS_ENDPOINT_URL_LAMBDA: lambda.endpoint,
    }),
  };
}

export function environmentOf(credentials: {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}): Record<string, string> {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    ...(sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: sessionToken }),
    AWS_MAX_ATTEMPTS: '1',
  };
}

export interface Ended {
  code: number | null;
  out: string;
  err: string;
}

/** Runs `bin/<name>.ts` without this process's environment. */
export async function runProgram(
  name: string,
  parameters: string[],
  environment: Record<string, string>,
): Promise<Ended> {
  const child = spawn(process.execPath, [join(root, `bin/${name}.ts`), ...parameters], {
    // No AWS profile of the developer, and no search for credentials on the network.
    env: { HOME: '/nonexistent', AWS_EC2_METADATA_DISABLED: 'true', ...environment },
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const [code] = await once(child, 'close');
  return { code, out, err };
}

function template(
  pools: Record<string, SomePool>,
  permissions: Record<string, Record<string, unknown>>,
): object {
  const Resources: Record<string, object> = {};
  const addFunction = (id: string, Description: string, TABLE_NAME?: string) => {
    Resources[id] = {
      Type: 'AWS::Lambda::Function',
      Properties: { Description, ...(TABLE_NAME ? { Environment: { Variables: { TABLE_NAME } } } : {}) },
    };
  };
  for (const [name, operation] of needed) {
    addFunction(`Own${name}`, `Countersign: ${operation}`, 'records');
    addFunction(`Other${name}`, `Countersign: ${operation}`, 'other-records');
  }
  addFunction('Foreign', 'Says yes');
  for (const [name, { properties, clients = { apps: soundClient }, permits }] of Object.entries(pools)) {
    Resources[name] = {
      Type: 'AWS::Cognito::UserPool',
      Properties: { UserPoolName: name, LambdaConfig: lambdaConfig(own), ...properties },
    };
    for (const [ClientName, client] of Object.entries(clients)) {
      Resources[`${name}${ClientName.replace(/\W/g, '')}`] = {
        Type: 'AWS::Cognito::UserPoolClient',
        Properties: { UserPoolId: { Ref: name }, ClientName, ...client },
      };
    }
    for (const id of permits ?? Object.values(own)) {
      Resources[`${name}${id}Permission`] = permission(id, { SourceArn: arnOf(name) });
    }
  }
  for (const [id, properties] of Object.entries(permissions)) {
    Resources[`${id}ExtraPermission`] = permission(id, properties);
  }
  return { Resources };
}

function permission(id: string, properties: object): object {
  return {
    Type: 'AWS::Lambda::Permission',
    Properties: {
      Action: 'lambda:InvokeFunction',
      FunctionName: arnOf(id),
      Principal: 'cognito-idp.amazonaws.com',
      ...properties,
    },
  };
}
