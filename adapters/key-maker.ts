import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import {
  GenerateDataKeyPairWithoutPlaintextCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  type KMSClient,
} from '@aws-sdk/client-kms';
import { randomId } from '../core/random.ts';
import { type KeyKind, keyringKey, type StoredKey, storedKeyItem } from './keyring.ts';
import { encryptionContext } from './unwrap.ts';

interface KeyMakerOptions {
  dynamoDb: DynamoDBClient;
  kms: KMSClient;
  environment: { TABLE_NAME: string; KEYRING_KEY_ARN: string; KEYRING_STACK: string };
}

/**
 * Makes the first key of a kind if there is none. Saying it twice, or twice at once, makes one: the put is conditional.
 * KMS answers with ciphertext alone, so nobody has seen the key.
 */
export async function ensureFirstKey(
  { dynamoDb, kms, environment }: KeyMakerOptions,
  kind: KeyKind,
  now: number,
): Promise<void> {
  const key = await makeKey(kms, environment, kind, now);
  try {
    await dynamoDb.send(
      new PutItemCommand({
        TableName: environment.TABLE_NAME,
        Item: { ...keyringKey(kind), keys: { L: [storedKeyItem(key)] } },
        ConditionExpression: 'attribute_not_exists(pk)',
      }),
    );
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}

async function makeKey(
  kms: KMSClient,
  { KEYRING_KEY_ARN, KEYRING_STACK }: KeyMakerOptions['environment'],
  kind: KeyKind,
  activeFrom: number,
): Promise<StoredKey> {
  const id = randomId();
  const request = { KeyId: KEYRING_KEY_ARN, EncryptionContext: encryptionContext(KEYRING_STACK, kind, id) };
  if (kind === 'signing') {
    const pair = await kms.send(
      new GenerateDataKeyPairWithoutPlaintextCommand({ ...request, KeyPairSpec: 'RSA_2048' }),
    );
    return {
      id,
      wrapped: given(pair.PrivateKeyCiphertextBlob),
      publicKey: given(pair.PublicKey),
      activeFrom,
    };
  }
  const { CiphertextBlob } = await kms.send(
    new GenerateDataKeyWithoutPlaintextCommand({ ...request, KeySpec: 'AES_256' }),
  );
  return { id, wrapped: given(CiphertextBlob), publicKey: undefined, activeFrom };
}

function given(bytes: Uint8Array | undefined): Uint8Array {
  if (!bytes) throw new Error('KMS answered without a key.');
  return bytes;
}
