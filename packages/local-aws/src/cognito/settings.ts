import { count, names, type Properties, part, text, truth } from './properties.ts';

/** The triggers this emulator calls, by their names in LambdaConfig. */
export const knownTriggers = [
  'PreSignUp',
  'PostConfirmation',
  'PreAuthentication',
  'PostAuthentication',
  'DefineAuthChallenge',
  'CreateAuthChallenge',
  'VerifyAuthChallengeResponse',
  'PreTokenGeneration',
] as const;

export type TriggerName = (typeof knownTriggers)[number];

export interface PasswordPolicy {
  minimumLength: number;
  lowercase: boolean;
  uppercase: boolean;
  numbers: boolean;
  symbols: boolean;
  temporaryDays: number;
}

/** A pool's settings from its `AWS::Cognito::UserPool` properties, with Cognito's defaults. */
export interface PoolSettings {
  usernameAttributes: string[];
  aliasAttributes: string[];
  autoVerified: string[];
  caseSensitive: boolean;
  adminCreateOnly: boolean;
  mfa: 'OFF' | 'ON' | 'OPTIONAL';
  password: PasswordPolicy;
  customAttributes: ReadonlySet<string>;
  requiredAttributes: string[];
  triggers: Partial<Record<TriggerName, string>>;
  /** Version 1 unless PreTokenGenerationConfig says otherwise. */
  tokenTriggerVersion: 1 | 2;
  /** The host, before the region, of the `iss` in tokens, by IssuerConfiguration. */
  issuerHost: 'cognito-idp' | 'issuer-cognito-idp';
}

function readTriggers(config: Properties, pool: string): PoolSettings['triggers'] {
  const triggers: PoolSettings['triggers'] = {};
  const known: readonly string[] = knownTriggers;
  for (const [name, arn] of Object.entries(config)) {
    if (known.includes(name)) triggers[name as TriggerName] = String(arn);
    else if (name !== 'PreTokenGenerationConfig') {
      throw new Error(`user pool ${pool}: the trigger ${name} is not emulated`);
    }
  }
  const versioned = text(part(config, 'PreTokenGenerationConfig'), 'LambdaArn');
  if (versioned !== undefined) triggers.PreTokenGeneration = versioned;
  return triggers;
}

/** Reads the properties of a pool. Throws for a trigger that is not emulated. */
export function readSettings(pool: string, properties: Properties): PoolSettings {
  const policy = part(part(properties, 'Policies'), 'PasswordPolicy');
  const schema = Array.isArray(properties['Schema']) ? (properties['Schema'] as Properties[]) : [];
  const lambda = part(properties, 'LambdaConfig');
  const version = text(part(lambda, 'PreTokenGenerationConfig'), 'LambdaVersion') ?? 'V1_0';
  const mfa = text(properties, 'MfaConfiguration') ?? 'OFF';
  const issuer = text(part(properties, 'IssuerConfiguration'), 'Type');
  return {
    usernameAttributes: names(properties, 'UsernameAttributes') ?? [],
    aliasAttributes: names(properties, 'AliasAttributes') ?? [],
    autoVerified: names(properties, 'AutoVerifiedAttributes') ?? [],
    caseSensitive: truth(part(properties, 'UsernameConfiguration'), 'CaseSensitive', true),
    adminCreateOnly: truth(part(properties, 'AdminCreateUserConfig'), 'AllowAdminCreateUserOnly', false),
    mfa: mfa === 'ON' || mfa === 'OPTIONAL' ? mfa : 'OFF',
    password: {
      minimumLength: count(policy, 'MinimumLength', 8),
      lowercase: truth(policy, 'RequireLowercase', true),
      uppercase: truth(policy, 'RequireUppercase', true),
      numbers: truth(policy, 'RequireNumbers', true),
      symbols: truth(policy, 'RequireSymbols', true),
      temporaryDays: count(policy, 'TemporaryPasswordValidityDays', 7),
    },
    customAttributes: new Set(
      schema
        .map((attribute) => text(attribute, 'Name') ?? '')
        .filter((name) => !standardAttributes.has(name))
        .map((name) => (name.startsWith('custom:') ? name : `custom:${name}`)),
    ),
    requiredAttributes: schema
      .filter((attribute) => truth(attribute, 'Required', false))
      .map((attribute) => text(attribute, 'Name') ?? ''),
    triggers: readTriggers(lambda, pool),
    tokenTriggerVersion: version === 'V1_0' ? 1 : 2,
    issuerHost: issuer === 'UPDATED' ? 'issuer-cognito-idp' : 'cognito-idp',
  };
}

/** The attributes every pool has (OpenID Connect Core §5.1, without those that Cognito leaves out). */
export const standardAttributes: ReadonlySet<string> = new Set([
  'address',
  'birthdate',
  'email',
  'email_verified',
  'family_name',
  'gender',
  'given_name',
  'locale',
  'middle_name',
  'name',
  'nickname',
  'phone_number',
  'phone_number_verified',
  'picture',
  'preferred_username',
  'profile',
  'sub',
  'updated_at',
  'website',
  'zoneinfo',
]);
