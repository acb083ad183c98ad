import { setTimeout } from 'node:timers/promises';
import type { Context } from 'aws-lambda';
import { secondsNow } from '../adapters/clock.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { writeLog } from '../adapters/log.ts';
import { createProving } from '../adapters/services.ts';
import { createSweepStore } from '../adapters/sweep-store.ts';
import { sweep } from '../core/sweep.ts';

const environment = readEnvironment('TABLE_NAME', 'KEYRING_KEY_ARN', 'KEYRING_STACK', 'SETTINGS');
const { keyring, settings, dynamo } = createProving(environment);
const services = { store: createSweepStore(dynamo, environment.TABLE_NAME), keyring, settings };

/** Time to save where it stands, in milliseconds. */
const RESERVE = 10_000;

/** Invoked by a schedule: seals secrets under the newest data key, and retires keys that nothing uses any more. */
export const handler = async (_event: unknown, context: Context) => {
  const goOn = async () => {
    if (context.getRemainingTimeInMillis() < RESERVE) return false;
    await setTimeout(1000);
    return true;
  };
  const result = await sweep(services, secondsNow(), goOn);
  writeLog({ level: 'info', requestId: context.awsRequestId, operation: 'reseal', ...result });
  return result;
};
