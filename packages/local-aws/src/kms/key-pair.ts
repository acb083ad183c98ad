import { generateKeyPair, type KeyObject } from 'node:crypto';

/** KMS's names for the pairs it makes, and what Node makes them from. */
export const PAIR_SPECS = {
  RSA_2048: { modulusLength: 2048 },
  RSA_3072: { modulusLength: 3072 },
  RSA_4096: { modulusLength: 4096 },
  ECC_NIST_P256: { namedCurve: 'P-256' },
  ECC_NIST_P384: { namedCurve: 'P-384' },
  ECC_NIST_P521: { namedCurve: 'P-521' },
  ECC_SECG_P256K1: { namedCurve: 'secp256k1' },
};

export type PairSpec = keyof typeof PAIR_SPECS;

export function isPairSpec(spec: string): spec is PairSpec {
  return Object.hasOwn(PAIR_SPECS, spec);
}

/** A new pair: the public key as SubjectPublicKeyInfo, the private key as PKCS #8, both DER, as KMS gives them. */
export function generatePair(spec: PairSpec): Promise<{ publicKey: Buffer; privateKey: Buffer }> {
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, publicKey: KeyObject, privateKey: KeyObject) => {
      if (error) return reject(error);
      resolve({
        publicKey: publicKey.export({ type: 'spki', format: 'der' }),
        privateKey: privateKey.export({ type: 'pkcs8', format: 'der' }),
      });
    };
    const parameters = PAIR_SPECS[spec];
    if ('modulusLength' in parameters) generateKeyPair('rsa', parameters, done);
    else generateKeyPair('ec', parameters, done);
  });
}
