import { type RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AccountRootPrincipal, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';

/**
 * The account's administrators look after a key and cannot use it. No `kms:*`, no CreateGrant: either would hand out
 * every use of it. Naming the account leaves it to IAM who they are (KMS Developer Guide, "Default key policy").
 */
const administration = () =>
  new PolicyStatement({
    sid: 'Administration',
    principals: [new AccountRootPrincipal()],
    actions: [
      'kms:Describe*',
      'kms:Get*',
      'kms:List*',
      'kms:Put*',
      'kms:Update*',
      'kms:Enable*',
      'kms:Disable*',
      'kms:CreateAlias',
      'kms:DeleteAlias',
      'kms:RevokeGrant',
      'kms:RotateKeyOnDemand',
      'kms:TagResource',
      'kms:UntagResource',
      'kms:ScheduleKeyDeletion',
      'kms:CancelKeyDeletion',
    ],
    resources: ['*'],
  });

/** The key of a table, of use through DynamoDB only (DynamoDB Developer Guide, "Authorizing use of your KMS key"). */
export function createTableKey(scope: Construct, id: string, removalPolicy: RemovalPolicy): Key {
  const { region, urlSuffix } = Stack.of(scope);
  const throughDynamoDb = new PolicyStatement({
    sid: 'ThroughDynamoDb',
    principals: [new AccountRootPrincipal()],
    actions: [
      'kms:Encrypt',
      'kms:Decrypt',
      'kms:ReEncryptFrom',
      'kms:ReEncryptTo',
      'kms:GenerateDataKey',
      'kms:GenerateDataKeyWithoutPlaintext',
      'kms:DescribeKey',
      'kms:CreateGrant',
    ],
    resources: ['*'],
    conditions: { StringEquals: { 'kms:ViaService': `dynamodb.${region}.${urlSuffix}` } },
  });
  return new Key(scope, id, {
    description: 'Countersign: encrypts the table',
    enableKeyRotation: true,
    removalPolicy,
    policy: new PolicyDocument({ statements: [administration(), throughDynamoDb], minimize: false }),
  });
}

/**
 * The key that wraps the keyring. Nobody gets a key from it in plain but by unwrapping one that was made for this
 * deployment: of what makes keys, only the forms without plaintext are allowed. `npm run rewrap`, by administrators whom IAM
 * lets do it, takes the keyring from one key to another; no function may. Of the functions only the key-makers encrypt, and
 * public halves alone, by their roles (grants.ts).
 */
export function createKeyringKey(
  scope: Construct,
  id: string,
  keyringStack: string,
  removalPolicy: RemovalPolicy,
): Key {
  const forThisDeployment = (sid: string, actions: string[]) =>
    new PolicyStatement({
      sid,
      principals: [new AccountRootPrincipal()],
      actions,
      resources: ['*'],
      conditions: { StringEquals: { 'kms:EncryptionContext:stack': keyringStack } },
    });
  const keyring = forThisDeployment('Keyring', [
    'kms:Decrypt',
    'kms:Encrypt',
    'kms:GenerateDataKeyWithoutPlaintext',
    'kms:GenerateDataKeyPairWithoutPlaintext',
  ]);
  const rewrap = forThisDeployment('Rewrap', ['kms:ReEncryptFrom', 'kms:ReEncryptTo']);
  return new Key(scope, id, {
    description: 'Countersign: wraps the keyring',
    enableKeyRotation: true,
    removalPolicy,
    policy: new PolicyDocument({ statements: [administration(), keyring, rewrap], minimize: false }),
  });
}
