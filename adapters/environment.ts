import * as v from 'valibot';
import { realmName, Settings } from '../core/settings.ts';
import { issuerFaults } from './issuer-faults.ts';

const text = v.pipe(v.string(), v.minLength(1));
const json = <S extends v.GenericSchema>(schema: S) => v.pipe(text, v.parseJson(), schema);

/** One issuer whose access tokens the management endpoints accept beside Countersign's own. */
const TrustedIssuer = v.strictObject({
  issuer: text,
  jwksUri: text,
  realm: realmName,
  algorithms: v.array(v.picklist(['RS256', 'PS256', 'ES256', 'EdDSA'])),
  /** The `aud` values accepted; Cognito's access tokens have none. */
  audience: v.optional(v.array(text)),
  /** The `client_id` values accepted. */
  clientIds: v.optional(v.array(text)),
  /** Cognito's `token_use`. */
  tokenUse: v.optional(v.literal('access')),
  /** The deployment's own pool: Cognito can be asked about its tokens. */
  pool: v.optional(v.literal(true)),
  /** The claim that labels the account in the authenticator app. */
  accountClaim: text,
});
export type TrustedIssuer = v.InferOutput<typeof TrustedIssuer>;

const variables = {
  AWS_REGION: text,
  TABLE_NAME: text,
  KEYRING_KEY_ARN: text,
  /** Names this deployment in the keyring's encryption context. */
  KEYRING_STACK: text,
  SETTINGS: json(Settings),
  /** `iss` of own tokens; no trailing slash. */
  ISSUER: text,
  FORMER_ISSUERS: json(v.array(text)),
  /** `aud` of own access tokens; where it is not set, their issuer. */
  AUDIENCE: v.optional(text),
  /** API key id → name of the client it belongs to. */
  CLIENTS: json(v.record(text, text)),
  CORS_ORIGINS: json(v.array(text)),
  TRUSTED_ISSUERS: json(v.array(TrustedIssuer)),
  USER_POOL_ID: text,
  LOGIN_CLIENT_ID: text,
};

type Name = keyof typeof variables;
export type Environment<N extends Name = Name> = { [K in N]: v.InferOutput<(typeof variables)[K]> };

/**
 * The function's environment, read here and nowhere else, once at start: the variables named, or all of them.
 *
 * @throws Error that lists every name that is missing, malformed or unsafe at once, without any value.
 */
export function readEnvironment<N extends Name = Name>(...names: N[]): Environment<N> {
  const wanted = names.length > 0 ? names : (Object.keys(variables) as N[]);
  const faults: string[] = [];
  const read = Object.fromEntries(
    wanted.map((name) => {
      const parsed = v.safeParse(variables[name], process.env[name]);
      if (!parsed.success) faults.push(`${name} ${faultOf(name, parsed.issues)}`);
      return [name, parsed.output];
    }),
  );
  if (faults.length === 0 && names.length === 0) faults.push(...issuerFaults(read as Environment));
  if (faults.length > 0) throw new Error(`Environment: ${faults.join(', ')}.`);
  return read as Environment<N>;
}

function faultOf(name: Name, issues: readonly v.BaseIssue<unknown>[]): string {
  if (process.env[name] === undefined) return 'is missing';
  // Ours, and written to be told; the standard ones quote what they got.
  const unsafe = issues.find(({ type }) => type === 'raw_check');
  return unsafe ? `is unsafe: ${unsafe.message}` : 'is malformed';
}
