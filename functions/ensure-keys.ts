import { backgroundTimeouts, dynamoDb, kms } from '../adapters/aws.ts';
import { secondsNow } from '../adapters/clock.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { ensureFirstKey } from '../adapters/key-maker.ts';
import { retryWhileDenied } from '../adapters/retry-while-denied.ts';
import { keyKinds } from '../core/key-kind.ts';

const environment = readEnvironment('TABLE_NAME', 'KEYRING_KEY_ARN', 'KEYRING_STACK');
const aws = { dynamoDb: dynamoDb(backgroundTimeouts), kms: kms(backgroundTimeouts), environment };

/**
 * Invoked at every deployment: makes the first key of each kind where there is none. Like the other key-maker,
 * rotate-keys, it never sees one.
 */
export const handler = async (): Promise<void> => {
  for (const kind of keyKinds) {
    await retryWhileDenied(() => ensureFirstKey(aws, kind, secondsNow));
  }
};
