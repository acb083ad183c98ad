import type { Context } from '../context.ts';
import { startAwsServer } from '../http/json-protocol.ts';
import type { RunningServer } from '../http/listen.ts';
import type { Principal, Statement } from '../iam/policy.ts';
import { checkStatements } from '../iam/policy.ts';
import { contextKeys, keyContext, mayUseKey } from './access.ts';
import { type EncryptionContext, loadMaterials } from './materials.ts';
import { createKmsOperations, type Key } from './operations.ts';

/** A symmetric key, for encrypting and decrypting. */
export interface KeyDefinition {
  id: string;
  arn: string;
  policy: Statement[];
  /** @default true */
  enabled?: boolean;
}

export interface KmsServer extends RunningServer {
  /**
   * Whether the principal may decrypt under the key when an AWS service asks on its behalf. `viaService` is a name such
   * as `dynamodb.eu-central-1.amazonaws.com`; the encryption context is that service's.
   */
  mayDecryptVia(
    principal: Principal,
    keyArn: string,
    viaService: string,
    encryptionContext?: EncryptionContext,
  ): boolean;
}

/**
 * Serves KMS on keys whose material stays in `folder`, which exists. It makes missing keys at the start; no call makes
 * or changes one.
 *
 * @throws Error named PolicyError for a key policy that cannot be evaluated
 */
export async function startKms(options: {
  context: Context;
  folder: string;
  keys: KeyDefinition[];
  port?: number;
}): Promise<KmsServer> {
  const { context, folder, keys: definitions, port } = options;
  const { region, account } = context;
  for (const { policy } of definitions) checkStatements(policy);
  const ids = definitions.map(({ id }) => id);
  const materials = await loadMaterials(folder, ids);
  const keys = definitions.flatMap((definition): Key[] => {
    const material = materials.get(definition.id);
    return material ? [{ enabled: true, ...definition, ...material }] : [];
  });

  const server = await startAwsServer({
    service: 'kms',
    targetPrefix: 'TrentService',
    contentType: 'application/x-amz-json-1.1',
    context,
    operations: createKmsOperations(context, keys),
    ...(port === undefined ? {} : { port }),
  });
  return {
    ...server,
    mayDecryptVia(principal, keyArn, viaService, encryptionContext = {}) {
      const key = keys.find(({ arn }) => arn === keyArn);
      if (!key?.enabled) return false;
      const context = {
        ...keyContext(account),
        ...contextKeys(encryptionContext),
        'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT',
        'kms:ViaService': viaService,
      };
      return mayUseKey({ principal, action: 'kms:Decrypt', keyArn, keyPolicy: key.policy, region, context });
    },
  };
}
