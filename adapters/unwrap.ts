import { DecryptCommand, type KMSClient } from '@aws-sdk/client-kms';
import { unavailable } from '../core/error.ts';
import type { KeyPurpose } from './key-store.ts';

/** Turns a ciphertext of KMS into what was wrapped: kms:Decrypt under the encryption context of that purpose and key id. */
export type Unwrap = (purpose: KeyPurpose, keyId: string, wrapped: Uint8Array) => Promise<Uint8Array>;

/** Returns what KMS binds a wrapped key to: this deployment, this purpose, this very key. */
export function encryptionContext(stack: string, purpose: KeyPurpose, keyId: string): Record<string, string> {
  return { stack, purpose, keyId };
}

export function createUnwrap(
  kms: KMSClient,
  { KEYRING_KEY_ARN, KEYRING_STACK }: { KEYRING_KEY_ARN: string; KEYRING_STACK: string },
): Unwrap {
  return async (purpose, keyId, wrapped) => {
    const { Plaintext } = await kms.send(
      new DecryptCommand({
        KeyId: KEYRING_KEY_ARN,
        CiphertextBlob: wrapped,
        EncryptionContext: encryptionContext(KEYRING_STACK, purpose, keyId),
      }),
    );
    if (!Plaintext) throw unavailable();
    return Plaintext;
  };
}

/**
 * Errors of KMS for a ciphertext of another key or context (KMS API Reference, "Decrypt"). All else in the
 * request is fixed, so what it calls malformed is the ciphertext or the key id, out of the table too.
 */
const NOT_OURS = new Set(['InvalidCiphertextException', 'IncorrectKeyException', 'ValidationException']);

/** Whether KMS refused the ciphertext itself. False where it did not answer, or does not let us ask. */
export function isNotOurs(error: unknown): boolean {
  return error instanceof Error && NOT_OURS.has(error.name);
}
