import { randomUUID } from 'node:crypto';
import { CompactEncrypt, compactDecrypt, importJWK, jwtVerify, SignJWT } from 'jose';
import { AwsError } from '../aws-error.ts';
import type { Clock } from '../clock.ts';
import type { Client } from './client.ts';
import { notAuthorized } from './errors.ts';
import type { PoolKeys } from './keys.ts';
import type { User } from './users.ts';

/** The content of a refresh token, which only the pool can read. Times in seconds. */
export interface Grant {
  sub: string;
  clientId: string;
  originJti: string;
  authTime: number;
  expiresAt: number;
  /** The number of times the user had been signed out everywhere when it was issued. */
  signOuts: number;
}

/** Changes that the pre-token-generation trigger may make. */
export interface TokenOverrides {
  idClaims: Record<string, unknown>;
  idSuppress: string[];
  accessClaims: Record<string, unknown>;
  accessSuppress: string[];
  scopesToAdd: string[];
  scopesToSuppress: string[];
  groups?: string[];
}

export interface AccessClaims {
  sub: string;
  client_id: string;
  iat: number;
  origin_jti?: string;
  [claim: string]: unknown;
}

export interface Tokens {
  /** Signs the access and the ID token of one session. */
  issue(
    client: Client,
    user: User,
    grant: Grant,
    overrides: TokenOverrides,
  ): Promise<{ access: string; id: string }>;
  sealGrant(grant: Grant): Promise<string>;
  /** Opens a refresh token of this pool; throws `NotAuthorizedException`. The caller checks expiry and revocation. */
  openGrant(refreshToken: string): Promise<Grant>;
  /** Verifies an access token and returns its claims; throws `NotAuthorizedException`. */
  readAccess(accessToken: string): Promise<AccessClaims>;
}

/** Claims that no trigger can change (Cognito developer guide, pre token generation). */
const fixed = new Set(
  'acr amr at_hash aud auth_time azp client_id event_id exp iat identities iss jti nbf nonce origin_jti sub token_use username'.split(
    ' ',
  ),
);

const changeable = (name: string) => !fixed.has(name) && !name.startsWith('cognito:');

function override(claims: Record<string, unknown>, changes: Record<string, unknown>, suppress: string[]) {
  for (const [name, value] of Object.entries(changes)) if (changeable(name)) claims[name] = value;
  for (const name of suppress) if (changeable(name)) delete claims[name];
  return claims;
}

/** The attributes a client may read, typed as the ID token types them. */
function readable(client: Client, user: User): Record<string, unknown> {
  const claims: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(user.attributes)) {
    if (name === 'sub' || (client.readAttributes && !client.readAttributes.has(name))) continue;
    claims[name] = name.endsWith('_verified') ? value === 'true' : value;
  }
  return claims;
}

/** The tokens of a pool: RS256 under its one key, lifetimes from the client, times from the clock. */
export function createTokens(options: { issuer(): string; keys: PoolKeys; clock: Clock }): Tokens {
  const { issuer, keys, clock } = options;
  const grantKey = Buffer.from(keys.grantKey, 'base64');
  const privateKey = importJWK(keys.signing, 'RS256');
  const publicKey = importJWK(keys.published, 'RS256');

  const sign = async (claims: Record<string, unknown>, lifetime: number) => {
    const iat = clock.seconds();
    return new SignJWT({ ...claims, iat, exp: iat + lifetime })
      .setProtectedHeader({ kid: keys.kid, alg: 'RS256' })
      .sign(await privateKey);
  };

  return {
    async issue(client, user, grant, overrides) {
      const { groups = [] } = overrides;
      const common = {
        sub: user.sub,
        ...(groups.length > 0 ? { 'cognito:groups': groups } : {}),
        iss: issuer(),
        ...(client.revocable ? { origin_jti: grant.originJti } : {}),
        event_id: randomUUID(),
        auth_time: grant.authTime,
      };
      const scope = ['aws.cognito.signin.user.admin', ...overrides.scopesToAdd]
        .filter((name) => !overrides.scopesToSuppress.includes(name))
        .join(' ');
      const access = override(
        {
          ...common,
          client_id: client.id,
          token_use: 'access',
          scope,
          jti: randomUUID(),
          username: user.username,
        },
        overrides.accessClaims,
        overrides.accessSuppress,
      );
      const id = override(
        {
          ...common,
          ...readable(client, user),
          'cognito:username': user.username,
          aud: client.id,
          token_use: 'id',
          ...(client.revocable ? { jti: randomUUID() } : {}),
        },
        overrides.idClaims,
        overrides.idSuppress,
      );
      return {
        access: await sign(access, client.accessTokenValidity),
        id: await sign(id, client.idTokenValidity),
      };
    },

    async sealGrant(grant) {
      return new CompactEncrypt(Buffer.from(JSON.stringify(grant)))
        .setProtectedHeader({ cty: 'JWT', enc: 'A256GCM', alg: 'dir' })
        .encrypt(grantKey);
    },

    async openGrant(refreshToken) {
      try {
        const { plaintext } = await compactDecrypt(refreshToken, grantKey, {
          keyManagementAlgorithms: ['dir'],
          contentEncryptionAlgorithms: ['A256GCM'],
        });
        return JSON.parse(Buffer.from(plaintext).toString('utf8')) as Grant;
      } catch {
        throw notAuthorized('Invalid Refresh Token');
      }
    },

    async readAccess(accessToken) {
      try {
        const { payload } = await jwtVerify<AccessClaims>(accessToken, await publicKey, {
          issuer: issuer(),
          algorithms: ['RS256'],
          currentDate: new Date(clock.now()),
        });
        if (payload['token_use'] !== 'access') throw notAuthorized('Invalid Access Token');
        return payload;
      } catch (error) {
        if (error instanceof AwsError) throw error;
        const expired = error instanceof Error && 'code' in error && error.code === 'ERR_JWT_EXPIRED';
        throw notAuthorized(expired ? 'Access Token has expired' : 'Invalid Access Token');
      }
    },
  };
}
