import { setTimeout } from 'node:timers/promises';
import { dynamoDb, kms, unhurried } from '../adapters/aws.ts';
import { secondsNow } from '../adapters/clock.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { ensureFirstKey } from '../adapters/key-maker.ts';

const environment = readEnvironment('TABLE_NAME', 'KEYRING_KEY_ARN', 'KEYRING_STACK');
const aws = { dynamoDb: dynamoDb(unhurried), kms: kms(unhurried), environment };

/** IAM is eventually consistent: right after a deployment this very function may not be allowed yet. Seconds. */
const POLICY_WAITS = [2, 4, 8, 16, 30];

/**
 * Invoked at every deployment: makes the first key of each kind where there is none. Like the other key-maker,
 * rotate-keys, it never sees one.
 */
export const handler = async (): Promise<void> => {
  for (const kind of ['data', 'backup-code', 'signing'] as const) {
    await whileDenied(() => ensureFirstKey(aws, kind, secondsNow()));
  }
};

async function whileDenied(work: () => Promise<void>): Promise<void> {
  for (const seconds of POLICY_WAITS) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'AccessDeniedException') throw error;
      await setTimeout(seconds * 1000);
    }
  }
  return work();
}
