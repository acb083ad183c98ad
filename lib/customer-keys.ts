import { type RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AccountRootPrincipal, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';

/**
 * Lets the account's administrators manage a key, but not use it. It allows neither `kms:*` nor CreateGrant:
 * either would hand out every use of the key. The principal is the account, so IAM decides who its
 * administrators are (KMS Developer Guide, "Default key policy").
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

/**
 * Creates a table's key, usable only through DynamoDB (DynamoDB Developer Guide, "Authorizing use of your KMS
 * key").
 */
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
 * Creates the KMS key that wraps the keyring. To get a key in plaintext, a caller has to unwrap one that was
 * made for this deployment: the policy allows only the operations that make keys without showing them.
 *
 * Administrators whom IAM permits move the keyring from one KMS key to another by `npm run rewrap`. No
 * function may. By their roles (grants.ts), only the key-maker functions encrypt, and only public halves.
 *
 * @param keyringStack names this deployment in the encryption context
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
