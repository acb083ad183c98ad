import { randomBytes } from 'node:crypto';
import { AwsError } from '../aws-error.ts';
import type { Context } from '../context.ts';
import { type Operation, signerOf } from '../http/json-protocol.ts';
import type { Principal, Statement } from '../iam/policy.ts';
import { authorizeKey, contextKeys, keyContext } from './access.ts';
import {
  encryptionContext,
  optionalByteCount,
  optionalText,
  refused,
  requireBlob,
  requireText,
} from './input.ts';
import { generatePair } from './key-pair.ts';
import { blobKeyId, decryptBlob, encryptBlob, type Material } from './materials.ts';

export interface Key extends Material {
  id: string;
  arn: string;
  policy: Statement[];
  enabled: boolean;
}

type Input = Record<string, unknown>;
type Conditions = Record<string, string | string[]>;

const SYMMETRIC = 'SYMMETRIC_DEFAULT';
const MAX_PLAINTEXT_BYTES = 4096;
const MAX_CIPHERTEXT_BYTES = 6144;

/** The TrentService operations on these keys. Each checks access before it tells the key's state. */
export function createKmsOperations(context: Context, keys: Key[]): Record<string, Operation> {
  const { region, account } = context;

  function find(name: string): Key {
    const key = keys.find(({ id, arn }) => name === id || name === arn);
    if (key) return key;
    const arn = name.startsWith('arn:') ? name : `arn:aws:kms:${region}:${account}:key/${name}`;
    throw new AwsError('NotFoundException', `Key '${arn}' does not exist`);
  }

  function admit(
    principal: Principal,
    action: string,
    key: Key,
    conditions: Conditions,
    resource: string,
  ): void {
    const context = { ...keyContext(account), ...conditions };
    authorizeKey({ principal, action, keyArn: key.arn, keyPolicy: key.policy, region, context }, resource);
    if (!key.enabled) {
      throw new AwsError('DisabledException', `${key.arn} is disabled.`);
    }
  }

  function use(principal: Principal, action: string, name: string, conditions: Conditions): Key {
    const key = find(name);
    admit(principal, action, key, conditions, `resource: ${key.arn}`);
    return key;
  }

  /** Opens the blob and finds its key. `names` are the names of the input's members. */
  function openBlob(
    principal: Principal,
    action: string,
    input: Input,
    names: { keyId: string; context: string; algorithm: string },
    conditions: (key: Key) => Conditions = () => ({}),
  ): { key: Key; plaintext: Buffer } {
    const blob = requireBlob(input, 'CiphertextBlob', MAX_CIPHERTEXT_BYTES);
    const context = encryptionContext(input, names.context);
    requireSymmetric(input, names.algorithm);
    const keyName = optionalText(input, names.keyId);
    const id = blobKeyId(blob);
    const maker = keys.find((key) => key.id === id);
    const key = keyName === undefined ? maker : find(keyName);
    if (!key) {
      if (id === undefined) throw invalidCiphertext();
      throw new AwsError(
        'AccessDeniedException',
        'The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.',
      );
    }
    const resource =
      keyName === undefined ? 'the resource associated with this ciphertext' : `resource: ${key.arn}`;
    admit(principal, action, key, { ...symmetric(), ...contextKeys(context), ...conditions(key) }, resource);
    if (id === undefined) throw invalidCiphertext();
    if (key !== maker) {
      throw new AwsError(
        'IncorrectKeyException',
        'The key ID in the request does not identify a CMK that can perform this operation.',
      );
    }
    const plaintext = decryptBlob(key, context, blob);
    if (!plaintext) throw invalidCiphertext();
    return { key, plaintext };
  }

  return {
    GenerateDataKeyWithoutPlaintext: async ({ input, principal }) => {
      const length = dataKeyLength(input);
      const context = encryptionContext(input, 'EncryptionContext');
      const conditions = { ...symmetric(), ...contextKeys(context) };
      const action = 'kms:GenerateDataKeyWithoutPlaintext';
      const key = use(signerOf(principal), action, requireText(input, 'KeyId'), conditions);
      refuseExtras(input);
      const blob = encryptBlob(key.id, key, context, randomBytes(length));
      return { KeyId: key.arn, CiphertextBlob: base64(blob) };
    },

    GenerateDataKeyPairWithoutPlaintext: async ({ input, principal }) => {
      const spec = requireText(input, 'KeyPairSpec');
      if (spec !== 'RSA_2048') {
        throw new AwsError('UnsupportedOperationException', `KeyPairSpec ${spec} is not emulated.`);
      }
      const context = encryptionContext(input, 'EncryptionContext');
      const conditions = { ...symmetric(), ...contextKeys(context), 'kms:DataKeyPairSpec': spec };
      const action = 'kms:GenerateDataKeyPairWithoutPlaintext';
      const key = use(signerOf(principal), action, requireText(input, 'KeyId'), conditions);
      refuseExtras(input);
      const { publicKey, privateKey } = await generatePair();
      return {
        KeyId: key.arn,
        KeyPairSpec: spec,
        PublicKey: base64(publicKey),
        PrivateKeyCiphertextBlob: base64(encryptBlob(key.id, key, context, privateKey)),
      };
    },

    Encrypt: async ({ input, principal }) => {
      const plaintext = requireBlob(input, 'Plaintext', MAX_PLAINTEXT_BYTES);
      const context = encryptionContext(input, 'EncryptionContext');
      requireSymmetric(input, 'EncryptionAlgorithm');
      const conditions = { ...symmetric(), ...contextKeys(context) };
      const key = use(signerOf(principal), 'kms:Encrypt', requireText(input, 'KeyId'), conditions);
      refuseExtras(input);
      const blob = encryptBlob(key.id, key, context, plaintext);
      return { KeyId: key.arn, CiphertextBlob: base64(blob), EncryptionAlgorithm: SYMMETRIC };
    },

    Decrypt: async ({ input, principal }) => {
      const names = { keyId: 'KeyId', context: 'EncryptionContext', algorithm: 'EncryptionAlgorithm' };
      const { key, plaintext } = openBlob(signerOf(principal), 'kms:Decrypt', input, names);
      refuseExtras(input);
      return { KeyId: key.arn, Plaintext: base64(plaintext), EncryptionAlgorithm: SYMMETRIC };
    },

    ReEncrypt: async ({ input, principal }) => {
      const signer = signerOf(principal);
      const destination = find(requireText(input, 'DestinationKeyId'));
      const context = encryptionContext(input, 'DestinationEncryptionContext');
      requireSymmetric(input, 'DestinationEncryptionAlgorithm');
      const names = {
        keyId: 'SourceKeyId',
        context: 'SourceEncryptionContext',
        algorithm: 'SourceEncryptionAlgorithm',
      };
      const sameKey = (source: Key) => ({ 'kms:ReEncryptOnSameKey': String(source === destination) });
      const source = openBlob(signer, 'kms:ReEncryptFrom', input, names, sameKey);
      use(signer, 'kms:ReEncryptTo', destination.arn, {
        ...symmetric(),
        ...contextKeys(context),
        ...sameKey(source.key),
      });
      refuseExtras(input);
      return {
        SourceKeyId: source.key.arn,
        KeyId: destination.arn,
        CiphertextBlob: base64(encryptBlob(destination.id, destination, context, source.plaintext)),
        SourceEncryptionAlgorithm: SYMMETRIC,
        DestinationEncryptionAlgorithm: SYMMETRIC,
      };
    },
  };
}

function dataKeyLength(input: Input): number {
  const spec = optionalText(input, 'KeySpec');
  const length = optionalByteCount(input, 'NumberOfBytes');
  if ((spec === undefined) === (length === undefined)) {
    throw new AwsError('ValidationException', 'Please specify either number of bytes or key spec.');
  }
  if (length !== undefined) return length;
  if (spec === 'AES_256') return 32;
  if (spec === 'AES_128') return 16;
  throw refused('KeySpec', 'Member must satisfy enum value set: [AES_256, AES_128]');
}

function symmetric(): Conditions {
  return { 'kms:EncryptionAlgorithm': SYMMETRIC };
}

function requireSymmetric(input: Input, name: string): void {
  const algorithm = optionalText(input, name);
  if (algorithm !== undefined && algorithm !== SYMMETRIC) {
    throw new AwsError('InvalidKeyUsageException', `A symmetric key cannot use the algorithm ${algorithm}.`);
  }
}

/** Ends a dry run that would have succeeded, and refuses requests for enclaves. */
function refuseExtras(input: Input): void {
  if (input['Recipient'] !== undefined) {
    throw new AwsError('UnsupportedOperationException', 'Recipient is not supported by the local KMS');
  }
  if (input['DryRun'] === true) {
    throw new AwsError(
      'DryRunOperationException',
      'The request would have succeeded, but the DryRun option is set.',
      412,
    );
  }
}

function invalidCiphertext(): AwsError {
  return new AwsError('InvalidCiphertextException', '');
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64');
}
