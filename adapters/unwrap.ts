import { DecryptCommand, type KMSClient } from '@aws-sdk/client-kms';
import { unavailable } from '../core/error.ts';
import type { KeyKind } from './key-store.ts';
import type { Unwrap } from './keyring.ts';

/** What a wrapped key is bound to in KMS: this deployment, this kind, this very key. */
export function encryptionContext(stack: string, purpose: KeyKind, keyId: string): Record<string, string> {
  return { stack, purpose, keyId };
}

export function createUnwrap(
  kms: KMSClient,
  { KEYRING_KEY_ARN, KEYRING_STACK }: { KEYRING_KEY_ARN: string; KEYRING_STACK: string },
): Unwrap {
  return async (kind, key) => {
    const { Plaintext } = await kms.send(
      new DecryptCommand({
        KeyId: KEYRING_KEY_ARN,
        CiphertextBlob: key.wrapped,
        EncryptionContext: encryptionContext(KEYRING_STACK, kind, key.id),
      }),
    );
    if (!Plaintext) throw unavailable();
    return Plaintext;
  };
}
