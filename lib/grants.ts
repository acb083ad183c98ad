import { Stack } from 'aws-cdk-lib';
import type { IUserPool } from 'aws-cdk-lib/aws-cognito';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { aws_dynamodb } from 'aws-cdk-lib/interfaces';
import type { KeyKind } from '../core/key-kind.ts';
import type { Settings } from '../core/settings.ts';
import type { Job, Route } from '../functions/routes.ts';

/** The public half of a signing key lies in the item of its kind, under an encryption context of its own. */
type Context = KeyKind | 'signing-public';

export interface KeyringTargets {
  table: aws_dynamodb.ITableRef;
  /** Encrypts the table. */
  tableKey: IKey;
  /** Wraps the keys of the keyring. */
  keyringKey: IKey;
  /** Names this deployment in the keyring's encryption context. */
  keyringStack: string;
}

export interface GrantTargets extends KeyringTargets {
  userPool: IUserPool;
  /** The setting `globalSignOut`. */
  globalSignOut: boolean;
}

function onItems(
  sid: string,
  table: aws_dynamodb.ITableRef,
  actions: string[],
  partitionKeys: string[],
): PolicyStatement {
  return new PolicyStatement({
    sid,
    actions: actions.map((action) => `dynamodb:${action}`),
    resources: [table.tableRef.tableArn],
    conditions: {
      'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': partitionKeys },
      // ForAllValues is true of a request that has no such key at all (IAM User Guide, "Multivalued context keys").
      Null: { 'dynamodb:LeadingKeys': 'false' },
    },
  });
}

/** DynamoDB asks KMS in the name of its caller: a table under a customer key is closed without this. */
function throughDynamoDb({ table, tableKey }: KeyringTargets): PolicyStatement {
  const { region, urlSuffix } = Stack.of(table);
  return new PolicyStatement({
    sid: 'TableKey',
    actions: ['kms:Decrypt'],
    resources: [tableKey.keyArn],
    conditions: { StringEquals: { 'kms:ViaService': `dynamodb.${region}.${urlSuffix}` } },
  });
}

function onKeyring(
  sid: string,
  { keyringKey, keyringStack }: KeyringTargets,
  action: string,
  purposes: readonly Context[],
): PolicyStatement {
  return new PolicyStatement({
    sid,
    actions: [`kms:${action}`],
    resources: [keyringKey.keyArn],
    conditions: {
      StringEquals: {
        'kms:EncryptionContext:stack': keyringStack,
        'kms:EncryptionContext:purpose': purposes,
      },
    },
  });
}

const items = (kinds: readonly KeyKind[]) => kinds.map((kind) => `KEYRING#${kind}`);

/** Ends every session of a user of that pool. */
export function signOutStatement({ userPoolArn }: IUserPool): PolicyStatement {
  return new PolicyStatement({
    sid: 'SignOut',
    actions: ['cognito-idp:AdminUserGlobalSignOut'],
    resources: [userPoolArn],
  });
}

/** Lets a sign-in write down that it was the first, only if the configuration counts days from it. */
export function withEnrollmentDays<R extends Pick<Route, 'record' | 'asksToEnroll'>>(
  route: R,
  { enrollment }: Pick<Settings, 'enrollment'>,
): R {
  const counts = enrollment !== 'optional' && 'requiredAfterDays' in enrollment;
  return route.asksToEnroll && counts ? { ...route, record: 'write' } : route;
}

/** All that an operation may do besides writing its own log: what its route says, and nothing else. */
export function statementsFor(route: Route, on: GrantTargets): PolicyStatement[] {
  const statements = tableStatements(route, on);
  if (route.firstFactor) {
    statements.push(
      new PolicyStatement({
        sid: 'FirstFactor',
        actions: ['cognito-idp:AdminInitiateAuth'],
        resources: [on.userPool.userPoolArn],
      }),
    );
  }
  if (route.signsOut && on.globalSignOut) statements.push(signOutStatement(on.userPool));
  return statements;
}

/** The table, and the keys in it. */
export function tableStatements(
  { record, family, keys = {} }: Pick<Route, 'record' | 'family' | 'keys'>,
  on: KeyringTargets,
): PolicyStatement[] {
  const reads: KeyKind[] = [];
  if (keys.data) reads.push('data');
  if (keys.backupCode) reads.push('backup-code');
  if (keys.signing) reads.push('signing');
  const unwraps = reads.map(
    (purpose): Context => (purpose === 'signing' && keys.signing === 'verify' ? 'signing-public' : purpose),
  );

  const statements: PolicyStatement[] = [];
  if (record) {
    const actions = record === 'write' ? ['GetItem', 'UpdateItem'] : ['GetItem'];
    statements.push(onItems('Record', on.table, actions, ['USER#*']));
  }
  if (family) {
    const actions = family === 'write' ? ['UpdateItem'] : ['GetItem'];
    statements.push(onItems('Family', on.table, actions, ['FAMILY#*']));
  }
  if (reads.length > 0) statements.push(onItems('Keyring', on.table, ['GetItem'], items(reads)));
  if (statements.length > 0) statements.push(throughDynamoDb(on));
  if (unwraps.length > 0) statements.push(onKeyring('Unwrap', on, 'Decrypt', unwraps));
  return statements;
}

/**
 * All that a job may do besides writing its own log. Jobs that make keys get them wrapped and unwrap none; they alone
 * encrypt, under `signing-public`.
 *
 * `dynamodb:LeadingKeys` cannot narrow a scan, which names no partition key. What a sweep reads beside the records,
 * wrapped keys and refresh families, is of no use without what it lacks.
 *
 * @param name as in functions/routes.ts
 */
export function jobStatements(
  name: string,
  { makes = [], sweeps, retires = [], unwraps = [] }: Job,
  on: KeyringTargets,
): PolicyStatement[] {
  const statements: PolicyStatement[] = [];
  if (sweeps) {
    statements.push(
      new PolicyStatement({
        sid: 'Scan',
        actions: ['dynamodb:Scan'],
        resources: [on.table.tableRef.tableArn],
      }),
      onItems('Record', on.table, ['UpdateItem'], ['USER#*', `JOB#${name}`]),
    );
  }
  const rewrites = items([...makes, ...retires]);
  if (rewrites.length > 0) statements.push(onItems('Keyring', on.table, ['GetItem', 'PutItem'], rewrites));
  if (statements.length > 0) statements.push(throughDynamoDb(on));
  const secrets = makes.filter((kind) => kind !== 'signing');
  if (secrets.length > 0) {
    statements.push(onKeyring('MakeKeys', on, 'GenerateDataKeyWithoutPlaintext', secrets));
  }
  if (makes.includes('signing')) {
    statements.push(
      onKeyring('MakeKeyPairs', on, 'GenerateDataKeyPairWithoutPlaintext', ['signing']),
      onKeyring('CertifyPublicHalves', on, 'Encrypt', ['signing-public']),
    );
  }
  if (unwraps.length > 0) statements.push(onKeyring('Unwrap', on, 'Decrypt', unwraps));
  return statements;
}
