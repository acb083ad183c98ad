import { CfnResource, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Trigger } from 'aws-cdk-lib/triggers';
import type { Construct } from 'constructs';
import type { Bundle } from './bundle.ts';
import type { Config } from './config.ts';
import { createKeyringKey, createTableKey } from './customer-keys.ts';
import { addKeyRotation } from './key-rotation.ts';
import { settingsOf } from './settings-of.ts';

export interface DataStackProps extends StackProps {
  config: Config;
  /** From bundleFunctions. */
  bundles: Record<string, Bundle>;
}

/**
 * Everything that lasts: the table, the KMS keys, and the functions that make, rotate and retire the
 * keyring's keys.
 */
export class DataStack extends Stack {
  readonly table: Table;
  readonly tableKey: IKey;
  readonly keyringKey: IKey;
  /** Names this deployment in the keyring's encryption context. */
  readonly keyringStack: string;

  constructor(scope: Construct, id: string, { config, bundles, ...props }: DataStackProps) {
    const retain = config.removal === 'retain';
    super(scope, id, {
      description: 'Countersign: table and keys',
      terminationProtection: retain,
      ...props,
    });
    // If the first deployment fails, its keys and logs are deleted. The table is protected and stays.
    const removalPolicy = retain ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY;
    this.keyringStack = this.stackName;
    this.tableKey = createTableKey(this, 'TableKey', removalPolicy);
    this.keyringKey = createKeyringKey(this, 'KeyringKey', this.keyringStack, removalPolicy);
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      timeToLiveAttribute: 'ttl',
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: this.tableKey,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: retain,
      removalPolicy: retain ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });

    const environment = {
      TABLE_NAME: this.table.tableName,
      KEYRING_KEY_ARN: this.keyringKey.keyArn,
      KEYRING_STACK: this.keyringStack,
      SETTINGS: settingsOf(config),
    };
    const jobs = addKeyRotation(this, { config, bundles, environment, removalPolicy, targets: this });
    for (const { operation, timeout } of jobs) {
      new Trigger(this, 'FirstKeys', {
        handler: operation.function,
        timeout: Duration.seconds(timeout + 60),
        executeAfter: [this.table, this.keyringKey, operation],
      });
    }
    this.endTriggerLog(config, removalPolicy);
  }

  /** Gives the function with which the CDK invokes ensure-keys a log that ends. The stack's other functions are CfnFunctions. */
  private endTriggerLog({ logRetentionDays: retention }: Config, removalPolicy: RemovalPolicy): void {
    const invoker = this.node
      .findAll()
      .filter((construct) => construct instanceof CfnResource)
      .find(
        (resource) =>
          resource.cfnResourceType === CfnFunction.CFN_RESOURCE_TYPE_NAME &&
          !(resource instanceof CfnFunction),
      );
    if (!invoker) throw new Error('The function of a Trigger is made otherwise by now.');
    const log = new LogGroup(this, 'FirstKeysLog', { retention, removalPolicy });
    invoker.addPropertyOverride('LoggingConfig', { LogGroup: log.logGroupName });
  }
}
