import { after } from 'node:test';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { startDynamoDb } from '@countersign/local-aws/dynamodb';
import { startKms } from '@countersign/local-aws/kms';
import { ACCOUNT, allow, clientOf, createStage, REGION } from '@countersign/local-aws/testing/stage';
import { backgroundTimeouts, requestTimeouts } from '../../adapters/aws.ts';

const KEY_ARN = `arn:aws:kms:${REGION}:${ACCOUNT}:key/keyring`;
/** Another key of the same KMS, with the same policy. */
export const OTHER_KEY_ARN = `arn:aws:kms:${REGION}:${ACCOUNT}:key/other`;

/** Both retry as the service does. On a loaded machine a key pair takes over half a second. */
const CLIENTS = { patient: { ...requestTimeouts, ...backgroundTimeouts }, hurried: requestTimeouts };

/**
 * Starts DynamoDB with one table and KMS with one key for a test file, and returns real clients. Stops after
 * its tests.
 *
 * @param how `hurried` gives up as soon as the service does, for tests of time-outs
 */
export async function startAws(how: 'patient' | 'hurried' = 'patient') {
  const stage = createStage();
  const principal = stage.principal('everything', [allow(['dynamodb:*', 'kms:*'], '*')]);
  const { context, folder } = stage;
  const environment = { TABLE_NAME: 'records', KEYRING_KEY_ARN: KEY_ARN, KEYRING_STACK: 'countersign' };
  const root = { AWS: `arn:aws:iam::${ACCOUNT}:root` };
  const [table, key] = await Promise.all([
    startDynamoDb({
      context,
      folder,
      tables: [
        {
          name: environment.TABLE_NAME,
          arn: `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/records`,
          keySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
          attributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
          ttlAttribute: 'ttl',
        },
      ],
      mayDecryptVia: () => true,
    }),
    startKms({
      context,
      folder,
      keys: [KEY_ARN, OTHER_KEY_ARN].map((arn) => ({
        id: arn.replace(/.*\//, ''),
        arn,
        policy: [{ Effect: 'Allow', Principal: root, Action: 'kms:*', Resource: '*' }],
      })),
    }),
  ]);
  const dynamoDbAs = (who = principal) =>
    new DynamoDBClient({ ...clientOf(who, table.endpoint), ...CLIENTS[how] });
  const kmsAs = (who = principal) => new KMSClient({ ...clientOf(who, key.endpoint), ...CLIENTS[how] });
  const [dynamoDb, kms] = [dynamoDbAs(), kmsAs()];
  after(async () => {
    dynamoDb.destroy();
    kms.destroy();
    await Promise.all([table.close(), key.close()]);
    stage.remove();
  });

  return {
    dynamoDb,
    kms,
    dynamoDbAs,
    kmsAs,
    environment,
    tableName: environment.TABLE_NAME,
    principal: stage.principal,
    /** Faults for the next calls, one for each. */
    faults: stage.faults,
    /** Returns the operations called while `work` runs, by service. */
    async callsDuring(work: () => Promise<unknown>) {
      const before = stage.calls.length;
      await work();
      const calls = stage.calls.slice(before);
      const of = (service: string) =>
        calls.filter((call) => call.service === service).map(({ operation }) => operation);
      return { dynamoDb: of('dynamodb'), kms: of('kms') };
    },
  };
}
