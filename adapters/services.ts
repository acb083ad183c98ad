import type { Services } from '../core/ports.ts';
import { dynamoDb, kms } from './aws.ts';
import { type Bearer, createBearer } from './bearer.ts';
import type { Environment } from './environment.ts';
import { createFamilies } from './families.ts';
import { createKeyring, createPublicSigningKeys, createSigningKeys } from './keyring.ts';
import { createRecords } from './records.ts';
import { createTokens, createTokenVerifier } from './tokens.ts';
import { createUnwrap } from './unwrap.ts';

/** What an operation works with, by what it does; none gets more than its role may use (routes.ts). */

/** Reads records and verifies own tokens: no KMS. */
export function createReading(environment: Environment) {
  const { TABLE_NAME: tableName, SETTINGS: settings } = environment;
  const dynamo = dynamoDb();
  const keys = createPublicSigningKeys({ dynamoDb: dynamo, tableName, hold: settings.lifetimes.keyHold });
  const tokens = createTokenVerifier(environment, keys);
  return {
    records: createRecords(dynamo, tableName),
    families: createFamilies(dynamo, tableName),
    tokens,
    keys,
    bearer: createBearer(tokens, environment.TRUSTED_ISSUERS),
  };
}

/** Opens secrets, and signs nothing. */
export function createProving(
  environment: Environment<'TABLE_NAME' | 'KEYRING_KEY_ARN' | 'KEYRING_STACK' | 'SETTINGS'>,
) {
  const { TABLE_NAME: tableName, SETTINGS: settings } = environment;
  const dynamo = dynamoDb();
  const ringOptions = { dynamoDb: dynamo, tableName, hold: settings.lifetimes.keyHold };
  const unwrap = createUnwrap(kms(), environment);
  return {
    records: createRecords(dynamo, tableName),
    keyring: createKeyring(ringOptions, unwrap),
    settings,
    // For those that go on from here.
    dynamo,
    ringOptions,
    unwrap,
  };
}

/** Signs sessions too. */
export function createSigning(environment: Environment) {
  const { dynamo, ringOptions, unwrap, ...proving } = createProving(environment);
  return {
    ...proving,
    families: createFamilies(dynamo, ringOptions.tableName),
    tokens: createTokens(environment, createSigningKeys(ringOptions, unwrap)),
  };
}

/** Takes codes from somebody signed in. */
export function createServices(environment: Environment): Services & { bearer: Bearer } {
  const signing = createSigning(environment);
  return { ...signing, bearer: createBearer(signing.tokens, environment.TRUSTED_ISSUERS) };
}
