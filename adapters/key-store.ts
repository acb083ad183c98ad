import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { unavailable } from '../core/error.ts';
import type { KeyKind } from '../core/key-kind.ts';

/** The purpose of a KMS ciphertext. The two halves of a signing key differ, so that neither opens as the other. */
export type KeyPurpose = KeyKind | 'signing-public';

export interface StoredKey {
  id: string;
  /** Ciphertext of KMS. */
  wrapped: Uint8Array;
  /** A signing key's public half, SubjectPublicKeyInfo in DER, as ciphertext of KMS: only KMS vouches for it. */
  wrappedPublic: Uint8Array | undefined;
  /** Not used before: later than every cache that may not know the key yet. Seconds since the epoch. */
  activeFrom: number;
}

/** One kind's keys, and the version they were read at: 0 where there is none yet. */
export interface StoredRing {
  keys: StoredKey[];
  version: number;
}

/** @throws the SDK's error: who keeps keys has to know why it may not */
export async function readRing(
  dynamoDb: DynamoDBClient,
  TableName: string,
  kind: KeyKind,
): Promise<StoredRing> {
  const { Item } = await dynamoDb.send(
    new GetItemCommand({ TableName, Key: keyringKey(kind), ConsistentRead: true }),
  );
  if (!Item) return { keys: [], version: 0 };
  return {
    keys: (Item['keys']?.L ?? []).map(({ M }) => storedKeyOf(M)).filter((key) => isCertified(kind, key)),
    version: Number(Item['version']?.N ?? 0),
  };
}

/**
 * Replaces the keys if nobody has since they were read. False where somebody has.
 *
 * @throws the SDK's error for everything else
 */
export async function writeRing(
  dynamoDb: DynamoDBClient,
  TableName: string,
  kind: KeyKind,
  read: StoredRing,
  keys: StoredKey[],
): Promise<boolean> {
  const first = read.version === 0;
  try {
    await dynamoDb.send(
      new PutItemCommand({
        TableName,
        Item: {
          ...keyringKey(kind),
          keys: { L: keys.map(storedKeyItem) },
          version: { N: String(read.version + 1) },
        },
        ConditionExpression: first ? 'attribute_not_exists(version)' : 'version = :read',
        ...(!first && { ExpressionAttributeValues: { ':read': { N: String(read.version) } } }),
      }),
    );
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}

export const keyringKey = (kind: KeyKind) => ({ pk: { S: `KEYRING#${kind}` } });

function storedKeyOf(item: Record<string, AttributeValue> = {}): StoredKey {
  const { id, wrapped, wrappedPublic, activeFrom } = item;
  if (id?.S === undefined || wrapped?.B === undefined || activeFrom?.N === undefined) throw unavailable();
  return { id: id.S, wrapped: wrapped.B, wrappedPublic: wrappedPublic?.B, activeFrom: Number(activeFrom.N) };
}

/**
 * A signing key without a wrapped public half counts as absent. An earlier version stored that half in plain, where whoever
 * writes the table can put their own: such a key is never used, and goes with the next write.
 */
function isCertified(kind: KeyKind, { wrappedPublic }: StoredKey): boolean {
  return kind !== 'signing' || wrappedPublic !== undefined;
}

function storedKeyItem({ id, wrapped, wrappedPublic, activeFrom }: StoredKey): AttributeValue {
  return {
    M: {
      id: { S: id },
      wrapped: { B: wrapped },
      activeFrom: { N: String(activeFrom) },
      ...(wrappedPublic && { wrappedPublic: { B: wrappedPublic } }),
    },
  };
}
