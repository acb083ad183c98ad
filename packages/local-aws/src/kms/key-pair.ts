import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';

const generate = promisify(generateKeyPair);

/** Makes an RSA_2048 pair: the public key as SubjectPublicKeyInfo, the private key as PKCS #8, both in DER, as KMS does. */
export async function generatePair(): Promise<{ publicKey: Buffer; privateKey: Buffer }> {
  return generate('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  });
}
