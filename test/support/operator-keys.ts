import { createPrivateKey, type KeyObject } from 'node:crypto';
import { DecryptCommand, KMSClient } from '@aws-sdk/client-kms';
import { readRing } from '../../adapters/key-store.ts';
import { encryptionContext } from '../../adapters/unwrap.ts';
import type { KeyKind } from '../../core/key-kind.ts';
import type { Service } from '../../local/service.ts';
import { dynamoDbOf } from './stored.ts';

/** The deployment's name in the keyring's encryption context, which is the name of the data stack. */
const STACK = 'CountersignData';

/** Returns every key of the keyring in plain. This takes the operator's rights in KMS. */
export async function unwrappedKeys(
  service: Service,
): Promise<{ kind: KeyKind; id: string; plain: Uint8Array }[]> {
  const { local, clock } = service;
  const dynamoDb = dynamoDbOf(service);
  const kms = new KMSClient({
    endpoint: local.kms.endpoint,
    region: local.operator.region,
    credentials: local.operator,
    systemClockOffset: clock.now() - Date.now(),
  });
  try {
    const rings = (['data', 'backup-code', 'signing'] as const).map(async (kind) => {
      const { keys } = await readRing(dynamoDb, local.dynamodb.tableName, kind);
      return Promise.all(
        keys.map(async ({ id, wrapped }) => {
          const { Plaintext } = await kms.send(
            new DecryptCommand({
              CiphertextBlob: wrapped,
              EncryptionContext: encryptionContext(STACK, kind, id),
            }),
          );
          if (!Plaintext) throw new Error('KMS gave no key.');
          return { kind, id, plain: Plaintext };
        }),
      );
    });
    return (await Promise.all(rings)).flat();
  } finally {
    dynamoDb.destroy();
    kms.destroy();
  }
}

/** Returns the key that signs tokens, so that a test can forge a token with exactly one thing wrong. */
export async function signingKeyOf(service: Service): Promise<{ id: string; privateKey: KeyObject }> {
  const found = (await unwrappedKeys(service)).find(({ kind }) => kind === 'signing');
  if (!found) throw new Error('There is no signing key.');
  const key = Buffer.from(found.plain);
  return { id: found.id, privateKey: createPrivateKey({ key, format: 'der', type: 'pkcs8' }) };
}
