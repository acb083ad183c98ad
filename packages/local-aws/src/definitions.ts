import type { Deployment, Resource } from './cloudformation/deployment.ts';
import { known } from './cloudformation/known.ts';
import type { PoolDefinition } from './cognito/server.ts';
import type { TableDefinition } from './dynamodb/server.ts';
import { statementsIn } from './iam/roles.ts';
import type { KeyDefinition } from './kms/server.ts';
import type { FunctionDefinition } from './lambda/runtime.ts';
import type { Principal } from './types.ts';

/** What the embedded servers are told of the template's tables, keys and pools, and what Lambda is of a function. */

export function tableDefinitions(deployment: Deployment): TableDefinition[] {
  return deployment.resources('AWS::DynamoDB::Table').map((table) => {
    const { properties } = table;
    known(table, properties, [
      'AttributeDefinitions',
      'BillingMode',
      'DeletionProtectionEnabled',
      'KeySchema',
      'PointInTimeRecoverySpecification',
      'SSESpecification',
      'TableName',
      'Tags',
      'TimeToLiveSpecification',
    ]);
    const timeToLive = properties['TimeToLiveSpecification'] as
      | { AttributeName: string; Enabled: boolean }
      | undefined;
    const encryption = properties['SSESpecification'] as { KMSMasterKeyId?: string } | undefined;
    return {
      name: table.ref,
      arn: table.attribute('Arn'),
      keySchema: properties['KeySchema'] as TableDefinition['keySchema'],
      attributeDefinitions: properties['AttributeDefinitions'] as TableDefinition['attributeDefinitions'],
      ...(timeToLive?.Enabled ? { ttlAttribute: timeToLive.AttributeName } : {}),
      ...(encryption?.KMSMasterKeyId ? { kmsKeyArn: keyArn(deployment, encryption.KMSMasterKeyId) } : {}),
    };
  });
}

export function keyDefinitions(deployment: Deployment): KeyDefinition[] {
  return deployment.resources('AWS::KMS::Key').map((key) => ({
    id: key.ref,
    arn: key.attribute('Arn'),
    policy: statementsIn(key.properties['KeyPolicy']),
    ...(key.properties['Enabled'] === false ? { enabled: false } : {}),
  }));
}

export function poolDefinitions(deployment: Deployment): PoolDefinition[] {
  const clients = deployment.resources('AWS::Cognito::UserPoolClient');
  return deployment.resources('AWS::Cognito::UserPool').map((pool) => ({
    id: pool.ref,
    arn: pool.attribute('Arn'),
    name: String(pool.properties['UserPoolName'] ?? pool.logicalId),
    properties: pool.properties,
    clients: clients
      .filter(({ properties }) => properties['UserPoolId'] === pool.ref)
      .map(({ ref, properties }) => ({ id: ref, properties })),
  }));
}

/** Lambda's quota on all of a function's variables together. */
const MOST_VARIABLES_BYTES = 4096;

/** @throws Error if the function is not one this machine runs as Lambda would */
export function functionDefinition(
  deployment: Deployment,
  lambdaFunction: Resource,
  principal: Principal & { sessionToken: string },
): FunctionDefinition {
  const { properties } = lambdaFunction;
  known(lambdaFunction, properties, [
    'Architectures',
    'Code',
    'Description',
    'Environment',
    'FunctionName',
    'Handler',
    'LoggingConfig',
    'MemorySize',
    'Role',
    'Runtime',
    'Tags',
    'Timeout',
  ]);
  if (properties['Runtime'] !== 'nodejs24.x') {
    throw new Error(`${lambdaFunction.logicalId}: runtime ${properties['Runtime']} is not known here.`);
  }
  const environment = properties['Environment'] as { Variables?: Record<string, string> } | undefined;
  const bytes = Object.entries(environment?.Variables ?? {}).reduce(
    (sum, [name, value]) => sum + name.length + Buffer.byteLength(value),
    0,
  );
  if (bytes > MOST_VARIABLES_BYTES) {
    throw new Error(
      `${lambdaFunction.logicalId}: its environment variables are ${bytes} bytes; Lambda takes ${MOST_VARIABLES_BYTES}.`,
    );
  }
  const logging = properties['LoggingConfig'] as { LogGroup?: string } | undefined;
  return {
    name: lambdaFunction.ref,
    arn: lambdaFunction.attribute('Arn'),
    folder: deployment.codeOf(lambdaFunction),
    handler: String(properties['Handler']),
    timeoutSeconds: Number(properties['Timeout'] ?? 3),
    memoryMb: Number(properties['MemorySize'] ?? 128),
    variables: environment?.Variables ?? {},
    credentials: principal,
    logGroup: logging?.LogGroup ?? `/aws/lambda/${lambdaFunction.ref}`,
  };
}

/**
 * The operation a function is for, as in functions/: `verify-login` of the construct `VerifyLogin`,
 * `cognito/define-auth-challenge` of `Cognito/DefineAuthChallenge`.
 */
export function operationOf(lambdaFunction: Resource): string {
  const [, construct = lambdaFunction.logicalId] =
    /^[^/]+\/(.+?)(?:\/Function)?(?:\/Resource)?$/.exec(lambdaFunction.path) ?? [];
  return construct.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toLowerCase();
}

function keyArn(deployment: Deployment, idOrArn: string): string {
  if (idOrArn.startsWith('arn:')) return idOrArn;
  const key = deployment.resources('AWS::KMS::Key').find(({ ref }) => ref === idOrArn);
  if (!key) throw new Error(`No key ${idOrArn} in the template.`);
  return key.attribute('Arn');
}
