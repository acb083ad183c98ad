import { errors, type JWTVerifyOptions, jwtVerify, SignJWT } from 'jose';
import * as v from 'valibot';
import type { ClaimsByKind, TokenKind } from '../core/claims.ts';
import type { SigningKeys, Tokens } from '../core/ports.ts';
import type { Settings } from '../core/settings.ts';
import { subjectOf, userOfSubject } from '../core/user.ts';
import type { PublicSigningKeys } from './keyring.ts';

/** RSA, because API Gateway's own JWT authorizers accept nothing else. */
const ALGORITHM = 'RS256';

/** The explicit types of RFC 8725 §3.11; access tokens have theirs from RFC 9068 §2.1. */
const TYPES: Record<TokenKind, string> = {
  access: 'at+jwt',
  challenge: 'countersign-challenge+jwt',
  refresh: 'countersign-refresh+jwt',
};

interface Issuer {
  ISSUER: string;
  FORMER_ISSUERS: string[];
  AUDIENCE: string | undefined;
  /** Its realm is the one whose users keep their plain `sub`. */
  SETTINGS: Pick<Settings, 'realm'>;
}

const seconds = v.pipe(v.number(), v.integer());
const commonClaims = {
  sub: v.string(),
  realm: v.string(),
  username: v.string(),
  client_id: v.string(),
  jti: v.string(),
  iat: seconds,
  exp: seconds,
  auth_time: seconds,
  amr: v.array(v.picklist(['pwd', 'otp', 'mfa'])),
  gen: v.string(),
};

/** The claims that each kind must have. Further ones, as `iss` and `aud`, are checked by jose and left out. */
const CLAIMS: { [K in TokenKind]: v.GenericSchema<unknown, ClaimsByKind[K]> } = {
  access: v.object({
    ...commonClaims,
    acr: v.string(),
    sid: v.optional(v.string()),
    origin_jti: v.optional(v.string()),
    enrollment_required: v.optional(v.boolean()),
  }),
  challenge: v.object(commonClaims),
  refresh: v.object({ ...commonClaims, family: v.string(), sequence: v.pipe(v.number(), v.integer()) }),
};

/** Verifies own tokens by the public halves of their keys. */
export function createTokenVerifier(issuer: Issuer, keys: PublicSigningKeys): Pick<Tokens, 'verify'> {
  const issuers = [issuer.ISSUER, ...issuer.FORMER_ISSUERS];
  return {
    async verify(kind, token, now) {
      const expected: JWTVerifyOptions = {
        algorithms: [ALGORITHM],
        typ: TYPES[kind],
        issuer: issuers,
        audience: issuers.map((url) => audienceOf(kind, { ...issuer, ISSUER: url })),
        currentDate: new Date(now * 1000),
      };
      try {
        const { payload } = await jwtVerify(
          token,
          async ({ kid }) => {
            const key = await keys.find(kid ?? '', now);
            if (!key) throw new errors.JWKSNoMatchingKey();
            return key;
          },
          expected,
        );
        const claims = v.safeParse(CLAIMS[kind], payload);
        if (!claims.success) return undefined;
        const { sub, realm } = claims.output;
        const user = userOfSubject(sub, realm, issuer.SETTINGS.realm);
        return user && { ...claims.output, ...user };
      } catch (error) {
        if (error instanceof errors.JOSEError) return undefined;
        throw error;
      }
    },
  };
}

/** Signs and verifies own tokens. */
export function createTokens(issuer: Issuer, keys: SigningKeys & PublicSigningKeys): Tokens {
  return {
    ...createTokenVerifier(issuer, keys),
    async ready(now) {
      await keys.current(now);
    },
    async sign(kind, claims, now) {
      const { id, privateKey } = await keys.current(now);
      const sub = subjectOf(claims, issuer.SETTINGS.realm);
      if (sub === undefined) throw new Error('This user can have no sub in a token.');
      return new SignJWT({ ...claims, sub, iss: issuer.ISSUER, aud: audienceOf(kind, issuer) })
        .setProtectedHeader({ alg: ALGORITHM, kid: id, typ: TYPES[kind] })
        .sign(privateKey);
    },
  };
}

/** Challenges and refresh tokens are for this service alone, each for the one place that takes it. */
function audienceOf(kind: TokenKind, { ISSUER, AUDIENCE }: Issuer): string {
  switch (kind) {
    case 'access':
      return AUDIENCE ?? ISSUER;
    case 'challenge':
      return `${ISSUER}/v1/auth/verify`;
    case 'refresh':
      return `${ISSUER}/v1/auth/refresh`;
  }
}
