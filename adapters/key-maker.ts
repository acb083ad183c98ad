import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  EncryptCommand,
  GenerateDataKeyPairWithoutPlaintextCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  type KMSClient,
} from '@aws-sdk/client-kms';
import type { KeyKind } from '../core/key-kind.ts';
import {
  activeAtOnce,
  activeFromOfNewKey,
  activeKey,
  isDue,
  signingKeysNeeded,
} from '../core/key-rotation.ts';
import { randomId } from '../core/random.ts';
import type { Settings } from '../core/settings.ts';
import { type KeyPurpose, readRing, type StoredKey, type StoredRing, writeRing } from './key-store.ts';
import { encryptionContext } from './unwrap.ts';

export interface KeyMakerOptions {
  dynamoDb: DynamoDBClient;
  kms: KMSClient;
  environment: { TABLE_NAME: string; KEYRING_KEY_ARN: string; KEYRING_STACK: string };
}

/** Seconds since the epoch, asked anew at each try: what is decided by it must not be old when it is written. */
type Clock = () => number;

/**
 * Makes the first key of a kind if there is none. Saying it twice, or twice at once, makes one: the write is conditional.
 * KMS returns ciphertext only. Signing keys whose public half KMS does not vouch for count as absent; the write drops them.
 */
export async function ensureFirstKey(aws: KeyMakerOptions, kind: KeyKind, clock: Clock): Promise<void> {
  await changeRing(aws, kind, async ({ keys }) =>
    keys.length > 0 ? undefined : [await makeKey(aws, kind, activeAtOnce(clock()))],
  );
}

/** Makes the next key where one is due, and drops signing keys of which no token can live. */
export async function rotateKey(
  aws: KeyMakerOptions,
  kind: KeyKind,
  settings: Settings,
  clock: Clock,
): Promise<void> {
  const signing = kind === 'signing';
  await changeRing(aws, kind, async ({ keys }) => {
    const now = clock();
    const needed = signing ? signingKeysNeeded(keys, now, settings) : keys;
    const due = isDue(keys, now, settings);
    if (!due && needed.length === keys.length) return undefined;
    if (!due) return needed;
    return [...needed, await makeKey(aws, kind, activeFromOfNewKey(keys, signing, now))];
  });
}

/**
 * Takes a signing key away at once, for one that somebody else may have. If it was the one in use, another takes its place
 * immediately, without the wait that keeps verifiers from meeting a key they do not know.
 *
 * @returns whether there was such a key
 */
export async function withdrawSigningKey(aws: KeyMakerOptions, id: string, clock: Clock): Promise<boolean> {
  let found = false;
  await changeRing(aws, 'signing', async ({ keys }) => {
    const others = keys.filter((key) => key.id !== id);
    if (others.length === keys.length) return undefined;
    // Said once, whoever takes it away in the end: a write of ours whose answer was lost looks like another's.
    found = true;
    const now = clock();
    const replaced = activeKey(keys, now)?.id === id;
    return replaced ? [...others, await makeKey(aws, 'signing', activeAtOnce(now))] : others;
  });
  return found;
}

/** Reads, decides and writes if nobody else has meanwhile; once more where somebody has. */
async function changeRing(
  { dynamoDb, environment }: KeyMakerOptions,
  kind: KeyKind,
  decide: (ring: StoredRing) => Promise<StoredKey[] | undefined>,
): Promise<void> {
  for (let tries = 0; tries < 3; tries++) {
    const ring = await readRing(dynamoDb, environment.TABLE_NAME, kind);
    const keys = await decide(ring);
    if (!keys || (await writeRing(dynamoDb, environment.TABLE_NAME, kind, ring, keys))) return;
  }
  throw new Error(`The keys of kind ${kind} change too fast.`);
}

async function makeKey(
  { kms, environment: { KEYRING_KEY_ARN, KEYRING_STACK } }: KeyMakerOptions,
  kind: KeyKind,
  activeFrom: number,
): Promise<StoredKey> {
  const id = randomId();
  const requestFor = (purpose: KeyPurpose) => ({
    KeyId: KEYRING_KEY_ARN,
    EncryptionContext: encryptionContext(KEYRING_STACK, purpose, id),
  });
  if (kind === 'signing') {
    const pair = await kms.send(
      new GenerateDataKeyPairWithoutPlaintextCommand({ ...requestFor('signing'), KeyPairSpec: 'RSA_2048' }),
    );
    // The ciphertext is what vouches for the public half: who writes the table and cannot use KMS can make none.
    const certified = await kms.send(
      new EncryptCommand({ ...requestFor('signing-public'), Plaintext: given(pair.PublicKey) }),
    );
    return {
      id,
      wrapped: given(pair.PrivateKeyCiphertextBlob),
      wrappedPublic: given(certified.CiphertextBlob),
      activeFrom,
    };
  }
  const { CiphertextBlob } = await kms.send(
    new GenerateDataKeyWithoutPlaintextCommand({ ...requestFor(kind), KeySpec: 'AES_256' }),
  );
  return { id, wrapped: given(CiphertextBlob), wrappedPublic: undefined, activeFrom };
}

function given(bytes: Uint8Array | undefined): Uint8Array {
  if (!bytes) throw new Error('KMS answered with nothing.');
  return bytes;
}
