import { createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { unavailable } from '../core/error.ts';
import { activeKey } from '../core/key-rotation.ts';
import type { Keyring, SigningKeys } from '../core/ports.ts';
import { type KeyKind, readRing, type StoredKey } from './key-store.ts';

/** Turns the wrapped key into the plain one; kms:Decrypt under the kind's encryption context. */
export type Unwrap = (kind: KeyKind, key: StoredKey) => Promise<Uint8Array>;

interface KeyringOptions {
  dynamoDb: DynamoDBClient;
  tableName: string;
  /** Seconds for which what was read and unwrapped is held. */
  hold: number;
}

/** A key that the held keyring does not know, or that does not open, loads it again: at most once in so many seconds. */
const RELOAD_AFTER = 30;

/** The keys that seal secrets and digest backup codes. */
export function createKeyring(options: KeyringOptions, unwrap: Unwrap): Keyring {
  const rings = { data: createRing('data', options), 'backup-code': createRing('backup-code', options) };
  return {
    async current(kind, now) {
      const key = activeOf(await rings[kind].keys(now), now);
      return {
        id: key.id,
        key: await rings[kind].opened(key, now, async () => secretKey(await unwrap(kind, key))),
      };
    },
    async key(kind, id, now) {
      const key = await rings[kind].find(id, now);
      if (!key) return undefined;
      return { id, key: await rings[kind].opened(key, now, async () => secretKey(await unwrap(kind, key))) };
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
      const key = activeOf(await ring.keys(now), now);
      const privateKey = await ring.opened(key, now, async () => signingKey(await unwrap('signing', key)));
      return { id: key.id, privateKey };
    },
  };
}

type Ring = ReturnType<typeof createRing>;

/** One kind's keys as read from the table, and what was unwrapped of them: each held for a while. */
function createRing(kind: KeyKind, { dynamoDb, tableName, hold }: KeyringOptions) {
  let held: { loadedAt: number; heldFor: number; keys: Promise<StoredKey[]> } | undefined;
  const unwrapped = new Map<string, { since: number; key: Promise<KeyObject> }>();

  const load = (now: number) => {
    const keys = readRing(dynamoDb, tableName, kind).then(
      (ring) => {
        forget(ring.keys, now);
        return ring.keys;
      },
      (error: unknown) => {
        throw unavailable(error);
      },
    );
    const loaded = { loadedAt: now, heldFor: hold, keys };
    held = loaded;
    // A failure is not held.
    keys.catch(() => {
      if (held === loaded) held = undefined;
    });
    return loaded;
  };
  /** Unwrapped keys that are no longer held, or no longer there, are not left in the container's memory. */
  const forget = (stored: StoredKey[], now: number) => {
    for (const [id, { since }] of unwrapped) {
      if (now >= since + hold || !stored.some((key) => key.id === id)) unwrapped.delete(id);
    }
  };
  const fresh = (now: number) => (held && now < held.loadedAt + held.heldFor ? held : load(now));

  return {
    keys: (now: number) => fresh(now).keys,
    async find(id: string, now: number): Promise<StoredKey | undefined> {
      const ring = fresh(now);
      const known = (await ring.keys).find((key) => key.id === id);
      if (known || now < ring.loadedAt + RELOAD_AFTER) return known;
      // Loaded again already, for another id that was asked for at the same time.
      const again = held && held !== ring ? held : load(now);
      return (await again.keys).find((key) => key.id === id);
    },
    /** A key of this ring, unwrapped: a reload for some unknown id does not unwrap the known ones again. */
    opened({ id }: StoredKey, now: number, open: () => Promise<KeyObject>): Promise<KeyObject> {
      const known = unwrapped.get(id);
      if (known && now < known.since + hold) return known.key;
      const key = open().catch((error: unknown) => {
        unwrapped.delete(id);
        // It may be wrapped otherwise by now (docs/keys.md, "Another KMS key"), or KMS just does not answer.
        if (held) held.heldFor = Math.min(hold, RELOAD_AFTER);
        throw unavailable(error);
      });
      unwrapped.set(id, { since: now, key });
      return key;
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

function activeOf(keys: StoredKey[], now: number): StoredKey {
  const active = activeKey(keys, now);
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
