import { timingSafeEqual } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DecryptCommand, EncryptCommand, type KMSClient, ReEncryptCommand } from '@aws-sdk/client-kms';
import { type KeyKind, readRing, type StoredKey, writeRing } from './key-store.ts';
import { encryptionContext } from './unwrap.ts';

/** A KMS key, and the name of the deployment in the encryption context of what it wraps. */
export interface Wrapping {
  kms: KMSClient;
  /** `arn:<partition>:kms:<region>:<account>:key/<id>` */
  keyArn: string;
  stack: string;
}

export interface RewrapOptions {
  dynamoDb: DynamoDBClient;
  tableName: string;
  from: Wrapping;
  to: Wrapping;
  /** Wraps and opens everything, and writes nothing. */
  dryRun: boolean;
}

/**
 * Wraps every key of one kind anew. What is under the target already is left, so that saying it again goes on where it
 * stopped, or does nothing. Each key is opened under the target before the ring is written, all of it or none.
 *
 * Within one region KMS re-encrypts, and the key leaves it only to be checked; between two, it is in this process's memory.
 *
 * @returns what became of each key
 * @throws Error where the ring has changed meanwhile, or where a key does not open under either; the SDK's errors
 */
export async function rewrapRing(
  { dynamoDb, tableName, from, to, dryRun }: RewrapOptions,
  kind: KeyKind,
): Promise<{ id: string; outcome: 'wrapped anew' | 'left' }[]> {
  const ring = await readRing(dynamoDb, tableName, kind);
  const keys: StoredKey[] = [];
  const outcomes: { id: string; outcome: 'wrapped anew' | 'left' }[] = [];
  for (const key of ring.keys) {
    const done = await isUnder(to, kind, key);
    keys.push(done ? key : await rewrapped(from, to, kind, key));
    outcomes.push({ id: key.id, outcome: done ? 'left' : 'wrapped anew' });
  }
  const anything = outcomes.some(({ outcome }) => outcome === 'wrapped anew');
  if (anything && !dryRun && !(await writeRing(dynamoDb, tableName, kind, ring, keys))) {
    throw new Error(`The keys of kind ${kind} have changed meanwhile: say it again.`);
  }
  return outcomes;
}

/**
 * What KMS says of a ciphertext of another key, or made under another context. It says AccessDenied too of one that it
 * cannot place; where it means it, the check at the end says so again.
 */
const NOT_UNDER = new Set(['IncorrectKeyException', 'InvalidCiphertextException', 'AccessDeniedException']);

async function isUnder(wrapping: Wrapping, kind: KeyKind, key: StoredKey): Promise<boolean> {
  try {
    (await unwrap(wrapping, kind, key.id, key.wrapped)).fill(0);
    return true;
  } catch (error) {
    if (error instanceof Error && NOT_UNDER.has(error.name)) return false;
    throw error;
  }
}

async function rewrapped(from: Wrapping, to: Wrapping, kind: KeyKind, key: StoredKey): Promise<StoredKey> {
  const sameRegion = regionOf(from.keyArn) === regionOf(to.keyArn);
  const wrapped = await (sameRegion ? reEncrypted : carried)(from, to, kind, key).catch((error: Error) => {
    if (error.name !== 'IncorrectKeyException' && error.name !== 'InvalidCiphertextException') throw error;
    const { keyArn, stack } = from;
    throw new Error(`Key ${key.id} of kind ${kind} does not open under ${keyArn} for the stack ${stack}.`);
  });
  (await unwrap(to, kind, key.id, wrapped)).fill(0);
  return { ...key, wrapped };
}

async function reEncrypted(from: Wrapping, to: Wrapping, kind: KeyKind, key: StoredKey): Promise<Uint8Array> {
  const { CiphertextBlob } = await from.kms.send(
    new ReEncryptCommand({
      CiphertextBlob: key.wrapped,
      SourceKeyId: from.keyArn,
      SourceEncryptionContext: encryptionContext(from.stack, kind, key.id),
      DestinationKeyId: to.keyArn,
      DestinationEncryptionContext: encryptionContext(to.stack, kind, key.id),
    }),
  );
  return given(CiphertextBlob);
}

async function carried(from: Wrapping, to: Wrapping, kind: KeyKind, key: StoredKey): Promise<Uint8Array> {
  const plain = await unwrap(from, kind, key.id, key.wrapped);
  try {
    const { CiphertextBlob } = await to.kms.send(
      new EncryptCommand({
        KeyId: to.keyArn,
        Plaintext: plain,
        EncryptionContext: encryptionContext(to.stack, kind, key.id),
      }),
    );
    const wrapped = given(CiphertextBlob);
    const again = await unwrap(to, kind, key.id, wrapped);
    const same = again.length === plain.length && timingSafeEqual(again, plain);
    again.fill(0);
    if (!same) throw new Error(`Key ${key.id} does not open as what it was.`);
    return wrapped;
  } finally {
    plain.fill(0);
  }
}

async function unwrap(
  { kms, keyArn, stack }: Wrapping,
  kind: KeyKind,
  id: string,
  wrapped: Uint8Array,
): Promise<Uint8Array> {
  const { Plaintext } = await kms.send(
    new DecryptCommand({
      KeyId: keyArn,
      CiphertextBlob: wrapped,
      EncryptionContext: encryptionContext(stack, kind, id),
    }),
  );
  return given(Plaintext);
}

/** @throws Error where it is no key's ARN */
export function regionOf(keyArn: string): string {
  const region = /^arn:[\w-]+:kms:([a-z0-9-]+):\d{12}:key\/[\w-]+$/.exec(keyArn)?.[1];
  if (!region) throw new Error(`"${keyArn}" is not the ARN of a KMS key: arn:aws:kms:REGION:ACCOUNT:key/ID.`);
  return region;
}

function given(bytes: Uint8Array | undefined): Uint8Array {
  if (!bytes) throw new Error('KMS answered with nothing.');
  return bytes;
}
