import { dynamoDb, kms, unhurried } from '../adapters/aws.ts';
import { secondsNow } from '../adapters/clock.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { ensureFirstKey } from '../adapters/key-maker.ts';
import { whileDenied } from '../adapters/while-denied.ts';
import { keyKinds } from '../core/key-kind.ts';

const environment = readEnvironment('TABLE_NAME', 'KEYRING_KEY_ARN', 'KEYRING_STACK');
const aws = { dynamoDb: dynamoDb(unhurried), kms: kms(unhurried), environment };

/**
 * Invoked at every deployment: makes the first key of each kind where there is none. Like the other key-maker,
 * rotate-keys, it never sees one.
 */
export const handler = async (): Promise<void> => {
  for (const kind of keyKinds) {
    await whileDenied(() => ensureFirstKey(aws, kind, secondsNow));
  }
};
