import { timingSafeEqual } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DecryptCommand, EncryptCommand, type KMSClient, ReEncryptCommand } from '@aws-sdk/client-kms';
import { type KeyPurpose, readRing, type StoredKey, writeRing } from '../../adapters/key-store.ts';
import { encryptionContext } from '../../adapters/unwrap.ts';
import type { KeyKind } from '../../core/key-kind.ts';

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
 * Wraps every key of one kind under the target, both halves of a signing key. Keys already there stay, so a second run resumes. Each key is opened under the target before the ring is written, all of it or none.
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
    const { id } = key;
    const wrapped = await underTarget(from, to, { purpose: kind, id, bytes: key.wrapped });
    const wrappedPublic =
      key.wrappedPublic &&
      (await underTarget(from, to, { purpose: 'signing-public', id, bytes: key.wrappedPublic }));
    const left = wrapped === key.wrapped && wrappedPublic === key.wrappedPublic;
    keys.push({ ...key, wrapped, wrappedPublic });
    outcomes.push({ id, outcome: left ? 'left' : 'wrapped anew' });
  }
  const anything = outcomes.some(({ outcome }) => outcome === 'wrapped anew');
  if (anything && !dryRun && !(await writeRing(dynamoDb, tableName, kind, ring, keys))) {
    throw new Error(`The keys of kind ${kind} have changed meanwhile: say it again.`);
  }
  return outcomes;
}

/** A key as KMS wrapped it, with what its encryption context says of it. */
interface Wrapped {
  purpose: KeyPurpose;
  id: string;
  bytes: Uint8Array;
}

/**
 * What KMS says of a ciphertext of another key, or made under another context. It says AccessDenied too of one that it
 * cannot place; where it means it, the check at the end says so again.
 */
const NOT_UNDER = new Set(['IncorrectKeyException', 'InvalidCiphertextException', 'AccessDeniedException']);

/** Returns the ciphertext under the target; the same one if it is there already. */
async function underTarget(from: Wrapping, to: Wrapping, wrapped: Wrapped): Promise<Uint8Array> {
  if (await isUnder(to, wrapped)) return wrapped.bytes;
  const sameRegion = regionOf(from.keyArn) === regionOf(to.keyArn);
  const again = await (sameRegion ? reEncrypted : carried)(from, to, wrapped).catch((error: Error) => {
    if (error.name !== 'IncorrectKeyException' && error.name !== 'InvalidCiphertextException') throw error;
    const { keyArn, stack } = from;
    const { purpose, id } = wrapped;
    throw new Error(`Key ${id} of kind ${purpose} does not open under ${keyArn} for the stack ${stack}.`);
  });
  (await unwrap(to, { ...wrapped, bytes: again })).fill(0);
  return again;
}

async function isUnder(wrapping: Wrapping, wrapped: Wrapped): Promise<boolean> {
  try {
    (await unwrap(wrapping, wrapped)).fill(0);
    return true;
  } catch (error) {
    if (error instanceof Error && NOT_UNDER.has(error.name)) return false;
    throw error;
  }
}

async function reEncrypted(
  from: Wrapping,
  to: Wrapping,
  { purpose, id, bytes }: Wrapped,
): Promise<Uint8Array> {
  const { CiphertextBlob } = await from.kms.send(
    new ReEncryptCommand({
      CiphertextBlob: bytes,
      SourceKeyId: from.keyArn,
      SourceEncryptionContext: encryptionContext(from.stack, purpose, id),
      DestinationKeyId: to.keyArn,
      DestinationEncryptionContext: encryptionContext(to.stack, purpose, id),
    }),
  );
  return given(CiphertextBlob);
}

async function carried(from: Wrapping, to: Wrapping, wrapped: Wrapped): Promise<Uint8Array> {
  const { purpose, id } = wrapped;
  const plain = await unwrap(from, wrapped);
  try {
    const { CiphertextBlob } = await to.kms.send(
      new EncryptCommand({
        KeyId: to.keyArn,
        Plaintext: plain,
        EncryptionContext: encryptionContext(to.stack, purpose, id),
      }),
    );
    const carriedOver = given(CiphertextBlob);
    const again = await unwrap(to, { ...wrapped, bytes: carriedOver });
    const same = again.length === plain.length && timingSafeEqual(again, plain);
    again.fill(0);
    if (!same) throw new Error(`Key ${id} does not open as what it was.`);
    return carriedOver;
  } finally {
    plain.fill(0);
  }
}

async function unwrap(
  { kms, keyArn, stack }: Wrapping,
  { purpose, id, bytes }: Wrapped,
): Promise<Uint8Array> {
  const { Plaintext } = await kms.send(
    new DecryptCommand({
      KeyId: keyArn,
      CiphertextBlob: bytes,
      EncryptionContext: encryptionContext(stack, purpose, id),
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
