import type { Deployment } from '../cloudformation/deployment.ts';
import { known } from '../cloudformation/known.ts';
import type { TableDefinition } from './tables.ts';

/** Reads the template's tables. @throws Error that names a property not emulated */
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

function keyArn(deployment: Deployment, idOrArn: string): string {
  if (idOrArn.startsWith('arn:')) return idOrArn;
  const key = deployment.resources('AWS::KMS::Key').find(({ ref }) => ref === idOrArn);
  if (!key) throw new Error(`No key ${idOrArn} in the template.`);
  return key.attribute('Arn');
}
