import * as v from 'valibot';
import { dynamoDb, kms } from '../adapters/aws.ts';
import { secondsNow } from '../adapters/clock.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { rotateKey, withdrawSigningKey } from '../adapters/key-maker.ts';

const environment = readEnvironment('TABLE_NAME', 'KEYRING_KEY_ARN', 'KEYRING_STACK', 'SETTINGS');
const aws = { dynamoDb: dynamoDb(), kms: kms(), environment };

const Withdrawal = v.strictObject({ withdraw: v.string() });

/**
 * Invoked by a schedule: makes the next keys where they are due and drops signing keys that are over. Invoked by hand with
 * `{"withdraw": "<key id>"}`: takes a compromised signing key away.
 */
export const handler = async (event: unknown): Promise<{ withdrawn?: boolean }> => {
  const now = secondsNow();
  const request = v.safeParse(Withdrawal, event);
  if (request.success) return { withdrawn: await withdrawSigningKey(aws, request.output.withdraw, now) };
  for (const kind of ['data', 'backup-code', 'signing'] as const) {
    await rotateKey(aws, kind, environment.SETTINGS, now);
  }
  return {};
};
