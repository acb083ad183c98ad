import { createHmac, timingSafeEqual } from 'node:crypto';
import { invalidParameter, notAuthorized } from './errors.ts';
import { count, names, type Properties, part, text, truth } from './properties.ts';
import { type PoolSettings, standardAttributes } from './settings.ts';

/** An app client, as `AWS::Cognito::UserPoolClient` describes it; every duration in seconds. */
export interface Client {
  id: string;
  name: string;
  properties: Properties;
  secret?: string;
  /** The flows it allows, by their `ALLOW_…` names. */
  flows: ReadonlySet<string>;
  hidesUsers: boolean;
  revocable: boolean;
  accessTokenValidity: number;
  idTokenValidity: number;
  refreshTokenValidity: number;
  sessionValidity: number;
  readAttributes?: ReadonlySet<string>;
  /** @default the standard attributes that a client can write ("WriteAttributes" in the API reference) */
  writeAttributes: ReadonlySet<string>;
}

const unitSeconds: Record<string, number> = { seconds: 1, minutes: 60, hours: 3600, days: 86_400 };

/** The flow names before `ALLOW_…`. They always allowed refreshing, and SRP unless CUSTOM_AUTH_FLOW_ONLY is named. */
const legacyFlows: Record<string, string[]> = {
  ADMIN_NO_SRP_AUTH: ['ALLOW_ADMIN_USER_PASSWORD_AUTH'],
  CUSTOM_AUTH_FLOW_ONLY: ['ALLOW_CUSTOM_AUTH'],
  USER_PASSWORD_AUTH: ['ALLOW_USER_PASSWORD_AUTH'],
};

/** The flows a client allows; without any named, Cognito allows SRP, custom and refresh. Throws on a mix of both spellings. */
function allowedFlows(named: string[] | undefined): Set<string> {
  const standard = ['ALLOW_USER_SRP_AUTH', 'ALLOW_CUSTOM_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'];
  if (!named || named.length === 0) return new Set(standard);
  const legacy = named.filter((flow) => flow in legacyFlows);
  if (legacy.length === 0) return new Set(named);
  if (legacy.length < named.length) {
    throw invalidParameter('ExplicitAuthFlows: ALLOW_ values cannot be mixed with values without the prefix');
  }
  const flows = new Set(['ALLOW_REFRESH_TOKEN_AUTH', ...legacy.flatMap((flow) => legacyFlows[flow] ?? [])]);
  if (!named.includes('CUSTOM_AUTH_FLOW_ONLY')) {
    for (const flow of standard) flows.add(flow);
  }
  return flows;
}

/**
 * Reads a client. The caller keeps its `secret`. Throws an Error for a setting that is not emulated.
 */
export function readClient(id: string, properties: Properties, secret: string | undefined): Client {
  const units = part(properties, 'TokenValidityUnits');
  const validity = (name: string, token: string, amount: number, unit: string) =>
    count(properties, name, amount) *
    (unitSeconds[name in properties ? (text(units, token) ?? unit) : unit] ?? 3600);
  if (text(part(properties, 'RefreshTokenRotation'), 'Feature') === 'ENABLED') {
    throw new Error(`user pool client ${id}: RefreshTokenRotation is not emulated`);
  }
  const read = names(properties, 'ReadAttributes');
  const write = names(properties, 'WriteAttributes');
  return {
    id,
    name: text(properties, 'ClientName') ?? id,
    properties,
    ...(secret === undefined ? {} : { secret }),
    flows: allowedFlows(names(properties, 'ExplicitAuthFlows')),
    hidesUsers: text(properties, 'PreventUserExistenceErrors') === 'ENABLED',
    revocable: truth(properties, 'EnableTokenRevocation', true),
    accessTokenValidity: validity('AccessTokenValidity', 'AccessToken', 1, 'hours'),
    idTokenValidity: validity('IdTokenValidity', 'IdToken', 1, 'hours'),
    refreshTokenValidity: validity('RefreshTokenValidity', 'RefreshToken', 30, 'days'),
    sessionValidity: count(properties, 'AuthSessionValidity', 3) * 60,
    ...(read ? { readAttributes: new Set(read) } : {}),
    writeAttributes: new Set(write ?? [...standardAttributes].filter((name) => !isNeverWritable(name))),
  };
}

/** Only Cognito and administrators set these attributes. */
const isNeverWritable = (name: string) => name === 'sub' || name.endsWith('_verified');

/**
 * Refuses a client that Cognito would not create, with `InvalidParameterException`: its list must not name what no
 * client may write, and must name every required attribute ("required attributes in a user pool are always writable").
 */
export function checkWriteAttributes({ writeAttributes }: Client, pool: PoolSettings): void {
  const known = [...writeAttributes].every(
    (name) => !isNeverWritable(name) && (standardAttributes.has(name) || pool.customAttributes.has(name)),
  );
  if (
    !known ||
    !pool.requiredAttributes.every((name) => isNeverWritable(name) || writeAttributes.has(name))
  ) {
    throw invalidParameter('Invalid write attributes specified while creating a client');
  }
}

/** Refuses attributes that the client may not write, with `NotAuthorizedException`. */
export function checkWritable({ writeAttributes }: Client, attributes: Record<string, string>): void {
  for (const name of Object.keys(attributes)) {
    if (isNeverWritable(name) || !writeAttributes.has(name)) {
      throw notAuthorized('A client attempted to write unauthorized attribute');
    }
  }
}

/**
 * Checks the secret hash of a client that has a secret: base64 of HMAC-SHA-256 over user name and client id. Throws
 * `NotAuthorizedException`. `usernames` are the spellings that may have been hashed.
 */
export function checkSecretHash(client: Client, given: string | undefined, usernames: string[]): void {
  if (client.secret === undefined) return;
  if (given === undefined) {
    throw notAuthorized(`Client ${client.id} is configured with secret but SECRET_HASH was not received`);
  }
  const received = Buffer.from(given, 'base64');
  const secret = client.secret;
  const correct = usernames.some((username) => {
    const expected = createHmac('sha256', secret)
      .update(username + client.id)
      .digest();
    return received.length === expected.length && timingSafeEqual(received, expected);
  });
  if (!correct) throw notAuthorized(`Unable to verify secret hash for client ${client.id}`);
}
