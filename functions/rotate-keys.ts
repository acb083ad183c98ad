import * as v from 'valibot';
import { backgroundTimeouts, dynamoDb, kms } from '../adapters/aws.ts';
import { secondsNow } from '../adapters/clock.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { rotateKey, withdrawSigningKey } from '../adapters/key-maker.ts';
import { keyKinds } from '../core/key-kind.ts';

const environment = readEnvironment('TABLE_NAME', 'KEYRING_KEY_ARN', 'KEYRING_STACK', 'SETTINGS');
const aws = { dynamoDb: dynamoDb(backgroundTimeouts), kms: kms(backgroundTimeouts), environment };

/** A misspelt withdrawal must not look like a rotation that went well. */
const Event = v.strictObject({ withdraw: v.optional(v.string()) });

/**
 * Invoked by a schedule with `{}`: makes the next keys where they are due and drops signing keys that are over. Invoked by
 * hand with `{"withdraw": "<key id>"}`: takes a compromised signing key away.
 */
export const handler = async (event: unknown): Promise<{ withdrawn?: boolean }> => {
  const { withdraw } = v.parse(Event, event);
  if (withdraw !== undefined) return { withdrawn: await withdrawSigningKey(aws, withdraw, secondsNow) };
  const outcomes = await Promise.allSettled(
    keyKinds.map((kind) => rotateKey(aws, kind, environment.SETTINGS, secondsNow)),
  );
  // One kind that fails keeps no other from its turn; but the invocation has failed, and Lambda tries again.
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
  return {};
};
