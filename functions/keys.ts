import { endpoint } from '../adapters/endpoint.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { createReading } from '../adapters/services.ts';
import { KEY_SET_MAX_AGE } from '../core/key-rotation.ts';

const environment = readEnvironment();
const { keys } = createReading(environment);

/** GET /.well-known/jwks.json: the public keys of own tokens (RFC 7517 §5). */
export const handler = endpoint({ operation: 'keys', environment }, async ({ now }) => ({
  body: {
    keys: (await keys.all(now)).map(({ id, publicKey }) => ({
      ...publicKey.export({ format: 'jwk' }),
      kid: id,
      alg: 'RS256',
      use: 'sig',
    })),
  },
  cacheControl: `public, max-age=${KEY_SET_MAX_AGE}`,
}));
