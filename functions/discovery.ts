import { endpoint } from '../adapters/endpoint.ts';
import { readEnvironment } from '../adapters/environment.ts';

const environment = readEnvironment();
const { ISSUER: issuer } = environment;

/** GET /.well-known/openid-configuration: where the keys are, for whoever verifies our tokens. */
export const handler = endpoint({ operation: 'discovery', environment }, async () => ({
  body: {
    issuer,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    // Required members of OpenID Connect Discovery §3. There is no authorization endpoint: nothing is redirected here.
    response_types_supported: [],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    acr_values_supported: ['urn:countersign:1fa', 'urn:countersign:2fa'],
    // All that access tokens carry. `sub` is unique to this issuer: a user of another realm has the realm in it (core/user.ts).
    claims_supported: [
      ...['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'client_id', 'auth_time', 'amr', 'acr'],
      ...['realm', 'username', 'gen', 'sid', 'origin_jti', 'enrollment_required'],
    ],
  },
  cacheControl: 'public, max-age=300',
}));
