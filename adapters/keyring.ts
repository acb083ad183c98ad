import { createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CountersignError, unavailable } from '../core/error.ts';
import type { KeyKind, SecretKeyKind } from '../core/key-kind.ts';
import { activeKey, KEYRING_TTL } from '../core/key-rotation.ts';
import type { Keyring, SigningKeys } from '../core/ports.ts';
import { readRing, type StoredKey } from './key-store.ts';
import { logFault } from './log.ts';
import { isNotOurs, type Unwrap } from './unwrap.ts';

interface KeyringOptions {
  dynamoDb: DynamoDBClient;
  tableName: string;
}

/** A key that the cached keyring does not know, or that does not open, loads it again: at most once in so many seconds. */
const RELOAD_AFTER = 30;

/** Key ids have 16 characters; one that somebody has written into the table may have any number. */
const LOGGED_ID = 64;

/** The keys that seal secrets and digest backup codes. */
export function createKeyring(options: KeyringOptions, unwrap: Unwrap): Keyring {
  const ringOf = (kind: SecretKeyKind) =>
    createRing(kind, options, async ({ id, wrapped }) => secretKey(await unwrap(kind, id, wrapped)));
  const rings = { data: ringOf('data'), 'backup-code': ringOf('backup-code') };
  return {
    async current(kind, now) {
      const key = activeOf(await rings[kind].keys(now), now);
      return { id: key.id, key: await rings[kind].opened(key, now) };
    },
    async key(kind, id, now) {
      const key = await rings[kind].find(id, now);
      return key && { id, key: await rings[kind].opened(key, now) };
    },
  };
}

export interface PublicSigningKeys {
  /**
   * Every key a verifier may meet, active or soon to be.
   *
   * @throws CountersignError `temporarily_unavailable` where there is none
   */
  all(now: number): Promise<{ id: string; publicKey: KeyObject }[]>;
  find(id: string, now: number): Promise<KeyObject | undefined>;
}

/** The public halves alone, each as KMS vouches for it: whoever writes the table cannot put another in its place. */
export function createPublicSigningKeys(options: KeyringOptions, unwrap: Unwrap): PublicSigningKeys {
  return publicHalves(
    createRing('signing', options, async ({ id, wrappedPublic }) => {
      if (!wrappedPublic) throw unavailable();
      const key = Buffer.from(await unwrap('signing-public', id, wrappedPublic));
      return { publicKey: createPublicKey({ key, format: 'der', type: 'spki' }) };
    }),
  );
}

/** The keys that sign tokens. The public halves are derived from the private ones: nothing that is stored is believed. */
export function createSigningKeys(options: KeyringOptions, unwrap: Unwrap): SigningKeys & PublicSigningKeys {
  const ring = createRing('signing', options, async ({ id, wrapped }) => {
    const privateKey = signingKey(await unwrap('signing', id, wrapped));
    return { privateKey, publicKey: createPublicKey(privateKey) };
  });
  return {
    ...publicHalves(ring),
    async current(now) {
      const key = activeOf(await ring.keys(now), now);
      return { id: key.id, privateKey: (await ring.opened(key, now)).privateKey };
    },
  };
}

interface Ring<K> {
  keys(now: number): Promise<StoredKey[]>;
  find(id: string, now: number): Promise<StoredKey | undefined>;
  /** @throws CountersignError `temporarily_unavailable` */
  opened(key: StoredKey, now: number): Promise<K>;
}

/** The opened part of one key, and until when it is cached. */
interface Opened<K> {
  until: number;
  refused?: true;
  key: Promise<K>;
}

/** One kind's keys as read from the table, and what was opened of them: each cached for `KEYRING_TTL`. */
function createRing<K>(
  kind: KeyKind,
  { dynamoDb, tableName }: KeyringOptions,
  open: (key: StoredKey) => Promise<K>,
): Ring<K> {
  let cached: { loadedAt: number; ttl: number; keys: Promise<StoredKey[]> } | undefined;
  const unwrapped = new Map<string, Opened<K>>();

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
    const loaded = { loadedAt: now, ttl: KEYRING_TTL, keys };
    cached = loaded;
    // A failure is not cached.
    keys.catch(() => {
      if (cached === loaded) cached = undefined;
    });
    return loaded;
  };
  /**
   * Unwrapped keys that have expired, or are no longer there, are not left in the container's memory. What KMS refused to
   * open may be another ciphertext by now.
   */
  const forget = (stored: StoredKey[], now: number) => {
    for (const [id, { until, refused }] of unwrapped) {
      if (refused || now >= until || !stored.some((key) => key.id === id)) unwrapped.delete(id);
    }
  };
  const fresh = (now: number) => (cached && now < cached.loadedAt + cached.ttl ? cached : load(now));

  return {
    keys: (now) => fresh(now).keys,
    async find(id, now) {
      const ring = fresh(now);
      const known = (await ring.keys).find((key) => key.id === id);
      if (known || now < ring.loadedAt + RELOAD_AFTER) return known;
      // Loaded again already, for another id that was asked for at the same time.
      const again = cached && cached !== ring ? cached : load(now);
      return (await again.keys).find((key) => key.id === id);
    },
    /** A key of this ring, unwrapped: a reload for some unknown id does not unwrap the known ones again. */
    opened(stored, now) {
      const { id } = stored;
      const known = unwrapped.get(id);
      if (known && now < known.until) return known.key;
      const entry: Opened<K> = {
        until: now + KEYRING_TTL,
        key: open(stored).catch((error: unknown) => {
          const fault = unavailable(error);
          if (isNotOurs(error)) {
            // Cached too: a key id that somebody has planted asks KMS, and is told of, once in so many seconds.
            entry.until = now + RELOAD_AFTER;
            entry.refused = true;
            logFault({ kind, keyId: id.slice(0, LOGGED_ID) }, fault);
          } else if (unwrapped.get(id) === entry) {
            unwrapped.delete(id);
          }
          // It may be wrapped otherwise by now (docs/keys.md, "Another KMS key"), or KMS just does not answer.
          if (cached) cached.ttl = Math.min(cached.ttl, RELOAD_AFTER);
          throw fault;
        }),
      };
      unwrapped.set(id, entry);
      return entry.key;
    },
  };
}

/**
 * Returns the public halves that KMS opens. A half that KMS refuses beside others was tampered with and counts as unknown. If
 * none opens, it is a fault, so no session ends.
 */
function publicHalves<K extends { publicKey: KeyObject }>(ring: Ring<K>): PublicSigningKeys {
  const publicHalf = async (key: StoredKey, now: number): Promise<KeyObject | undefined> => {
    try {
      return (await ring.opened(key, now)).publicKey;
    } catch (error) {
      if (error instanceof CountersignError && isNotOurs(error.cause)) return undefined;
      throw error;
    }
  };
  const all: PublicSigningKeys['all'] = async (now) => {
    const halves = (await ring.keys(now)).map(async (key) => ({
      id: key.id,
      publicKey: await publicHalf(key, now),
    }));
    const open = (await Promise.all(halves)).flatMap(({ id, publicKey }) =>
      publicKey ? [{ id, publicKey }] : [],
    );
    if (open.length === 0) throw unavailable();
    return open;
  };
  return {
    all,
    async find(id, now) {
      const key = await ring.find(id, now);
      const known = key && (await publicHalf(key, now));
      if (key && !known) await all(now);
      return known;
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
