import { setTimeout } from 'node:timers/promises';
import type { Context } from 'aws-lambda';
import { backgroundTimeouts, dynamoDb, kms } from '../adapters/aws.ts';
import { secondsNow } from '../adapters/clock.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { createKeyring } from '../adapters/keyring.ts';
import { writeLog } from '../adapters/log.ts';
import { createSweepStore } from '../adapters/sweep-store.ts';
import { createUnwrap } from '../adapters/unwrap.ts';
import { sweep } from '../core/sweep.ts';

const environment = readEnvironment('TABLE_NAME', 'KEYRING_KEY_ARN', 'KEYRING_STACK', 'SETTINGS');
const { TABLE_NAME: tableName, SETTINGS: settings } = environment;
const table = dynamoDb(backgroundTimeouts);
const keyring = createKeyring(
  { dynamoDb: table, tableName },
  createUnwrap(kms(backgroundTimeouts), environment),
);

/** Milliseconds between two pages. */
const PACE = 1000;

/** The longest time that one more page may take, the slowest retries included, in milliseconds. */
const RESERVE = 120_000;

/** Invoked by a schedule: seals secrets under the newest data key, and retires keys that nothing uses any more. */
export const handler = async (_event: unknown, context: Context) => {
  const next = async () => {
    if (context.getRemainingTimeInMillis() < RESERVE) return undefined;
    await setTimeout(PACE);
    return secondsNow();
  };
  const store = createSweepStore(table, tableName);
  const result = await sweep({ store, keyring, settings }, secondsNow(), next);
  writeLog({ level: 'info', invocationId: context.awsRequestId, operation: 'reseal', ...result });
  return result;
};
