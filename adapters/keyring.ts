import { createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { type AttributeValue, type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { unavailable } from '../core/error.ts';
import type { Keyring, SigningKeys } from '../core/ports.ts';

/** Each kind of key has one item, and an encryption context of its own: what unwraps one cannot unwrap another. */
export type KeyKind = 'data' | 'backup-code' | 'signing';

export interface StoredKey {
  id: string;
  /** Ciphertext of KMS. */
  wrapped: Uint8Array;
  /** A signing key's public half: SubjectPublicKeyInfo, DER. */
  publicKey: Uint8Array | undefined;
  /** Not used before: later than every cache that may not know the key yet. Seconds since the epoch. */
  activeFrom: number;
}

/** Turns the wrapped key into the plain one; kms:Decrypt under the kind's encryption context. */
export type Unwrap = (kind: KeyKind, key: StoredKey) => Promise<Uint8Array>;

interface KeyringOptions {
  dynamoDb: DynamoDBClient;
  tableName: string;
  /** Seconds for which what was read and unwrapped is held. */
  hold: number;
}

/** A key id that the held keyring does not know loads it again, at most once in so many seconds. */
const RELOAD_AFTER = 30;

/** The keys that seal secrets and digest backup codes. */
export function createKeyring(options: KeyringOptions, unwrap: Unwrap): Keyring {
  const rings = { data: createRing('data', options), 'backup-code': createRing('backup-code', options) };
  return {
    async current(kind, now) {
      const key = activeKey(await rings[kind].keys(now), now);
      return {
        id: key.id,
        key: await rings[kind].opened(key, async () => secretKey(await unwrap(kind, key))),
      };
    },
    async key(kind, id, now) {
      const key = await rings[kind].find(id, now);
      if (!key) return undefined;
      return { id, key: await rings[kind].opened(key, async () => secretKey(await unwrap(kind, key))) };
    },
  };
}

export interface PublicSigningKeys {
  /** Every key a verifier may meet, active or soon to be. */
  all(now: number): Promise<{ id: string; publicKey: KeyObject }[]>;
  find(id: string, now: number): Promise<KeyObject | undefined>;
}

/** The public halves alone: no KMS. */
export function createPublicSigningKeys(options: KeyringOptions): PublicSigningKeys {
  return publicHalves(createRing('signing', options));
}

/** The keys that sign tokens, with their public halves. */
export function createSigningKeys(options: KeyringOptions, unwrap: Unwrap): SigningKeys & PublicSigningKeys {
  const ring = createRing('signing', options);
  return {
    ...publicHalves(ring),
    async current(now) {
      const key = activeKey(await ring.keys(now), now);
      const privateKey = await ring.opened(key, async () => signingKey(await unwrap('signing', key)));
      return { id: key.id, privateKey };
    },
  };
}

type Ring = ReturnType<typeof createRing>;

/** One kind's keys as read from the table, held for a while together with what was unwrapped of them. */
function createRing(kind: KeyKind, { dynamoDb, tableName, hold }: KeyringOptions) {
  let held:
    | { loadedAt: number; keys: Promise<StoredKey[]>; opened: Map<string, Promise<KeyObject>> }
    | undefined;

  const load = (now: number) => {
    const keys = readKeys(dynamoDb, tableName, kind);
    const loaded = { loadedAt: now, keys, opened: new Map<string, Promise<KeyObject>>() };
    held = loaded;
    // A failure is not held.
    keys.catch(() => {
      if (held === loaded) held = undefined;
    });
    return loaded;
  };
  const fresh = (now: number) => (held && now < held.loadedAt + hold ? held : load(now));

  return {
    keys: (now: number) => fresh(now).keys,
    async find(id: string, now: number): Promise<StoredKey | undefined> {
      const ring = fresh(now);
      const known = (await ring.keys).find((key) => key.id === id);
      if (known || now < ring.loadedAt + RELOAD_AFTER) return known;
      return (await load(now).keys).find((key) => key.id === id);
    },
    opened({ id }: StoredKey, open: () => Promise<KeyObject>): Promise<KeyObject> {
      const { opened } = held ?? { opened: new Map<string, Promise<KeyObject>>() };
      const known = opened.get(id);
      if (known) return known;
      const opening = open().catch((error: unknown) => {
        opened.delete(id);
        throw unavailable(error);
      });
      opened.set(id, opening);
      return opening;
    },
  };
}

function publicHalves(ring: Ring): PublicSigningKeys {
  return {
    all: async (now) => (await ring.keys(now)).map((key) => ({ id: key.id, publicKey: publicHalf(key) })),
    find: async (id, now) => {
      const key = await ring.find(id, now);
      return key && publicHalf(key);
    },
  };
}

/** The newest key whose time has come. */
function activeKey(keys: StoredKey[], now: number): StoredKey {
  const active = keys
    .filter(({ activeFrom }) => activeFrom <= now)
    .reduce<StoredKey | undefined>(
      (best, key) => (best && best.activeFrom >= key.activeFrom ? best : key),
      undefined,
    );
  if (!active) throw unavailable();
  return active;
}

const secretKey = (bytes: Uint8Array) => wiped(bytes, () => createSecretKey(bytes));
const signingKey = (bytes: Uint8Array) =>
  wiped(bytes, () => createPrivateKey({ key: Buffer.from(bytes), format: 'der', type: 'pkcs8' }));

/** The plain bytes are not left lying about once the key object has them. */
function wiped(bytes: Uint8Array, make: () => KeyObject): KeyObject {
  try {
    return make();
  } finally {
    bytes.fill(0);
  }
}

function publicHalf({ publicKey }: StoredKey): KeyObject {
  if (!publicKey) throw unavailable();
  return createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
}

export const keyringKey = (kind: KeyKind) => ({ pk: { S: `KEYRING#${kind}` } });

async function readKeys(dynamoDb: DynamoDBClient, TableName: string, kind: KeyKind): Promise<StoredKey[]> {
  const { Item } = await dynamoDb
    .send(new GetItemCommand({ TableName, Key: keyringKey(kind), ConsistentRead: true }))
    .catch((error: unknown) => {
      throw unavailable(error);
    });
  return (Item?.['keys']?.L ?? []).map(({ M }) => storedKeyOf(M));
}

function storedKeyOf(item: Record<string, AttributeValue> = {}): StoredKey {
  const { id, wrapped, publicKey, activeFrom } = item;
  if (id?.S === undefined || wrapped?.B === undefined || activeFrom?.N === undefined) throw unavailable();
  return { id: id.S, wrapped: wrapped.B, publicKey: publicKey?.B, activeFrom: Number(activeFrom.N) };
}

export function storedKeyItem({ id, wrapped, publicKey, activeFrom }: StoredKey): AttributeValue {
  return {
    M: {
      id: { S: id },
      wrapped: { B: wrapped },
      activeFrom: { N: String(activeFrom) },
      ...(publicKey && { publicKey: { B: publicKey } }),
    },
  };
}
