import { CfnResource, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import type { IKey } from 'aws-cdk-lib/aws-kms';
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

/** What lasts: the table, its key, the key of the keyring, and the functions that make, rotate and retire its keys. */
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
    // Keys and logs of a first deployment that failed go with it; the table is protected, and then stays.
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

  /** The CDK's own function that invokes ensure-keys would keep its log for ever. */
  private endTriggerLog({ logRetentionDays: retention }: Config, removalPolicy: RemovalPolicy): void {
    const invoker = this.node
      .findAll()
      .find(({ node }) => /TriggerCustomResourceProviderCustomResourceProvider\/Handler$/.test(node.path));
    if (!(invoker instanceof CfnResource))
      throw new Error('The CDK names the function of a Trigger otherwise by now.');
    const log = new LogGroup(this, 'FirstKeysLog', { retention, removalPolicy });
    invoker.addPropertyOverride('LoggingConfig', { LogGroup: log.logGroupName });
  }
}
