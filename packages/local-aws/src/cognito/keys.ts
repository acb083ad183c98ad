import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { JWK } from 'jose';
import { openJsonFile } from '../files/json-file.ts';

/** The keys of one pool, made once. */
export interface PoolKeys {
  kid: string;
  /** The private RSA key; never leaves its file and this process. */
  signing: JWK;
  /** Its public half, as the pool's JWKS shows it. */
  published: JWK;
  /** Seals refresh tokens; base64. */
  grantKey: string;
  /** Makes stable stand-ins for users who do not exist; base64. */
  pseudonymKey: string;
}

/** Reads a pool's keys, or makes them: RSA of 2048 bits, as Cognito's. */
export function openKeys(path: string): PoolKeys {
  return openJsonFile<PoolKeys>(path, () => {
    const kid = randomBytes(32).toString('base64');
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const jwk = publicKey.export({ format: 'jwk' });
    return {
      kid,
      signing: { ...privateKey.export({ format: 'jwk' }), kid, alg: 'RS256' } as JWK,
      published: { alg: 'RS256', e: jwk.e, kid, kty: 'RSA', n: jwk.n, use: 'sig' } as JWK,
      grantKey: randomBytes(32).toString('base64'),
      pseudonymKey: randomBytes(32).toString('base64'),
    };
  }).value;
}
