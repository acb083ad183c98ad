import type { Families, Services } from '../core/ports.ts';
import { dynamoDb, kms } from './aws.ts';
import { type Bearer, createBearer } from './bearer.ts';
import type { Environment } from './environment.ts';
import { createFamilies } from './families.ts';
import { createKeyring, createPublicSigningKeys, createSigningKeys } from './keyring.ts';
import { createPoolSessions } from './pool-sessions.ts';
import type { AskPool } from './pool-token.ts';
import { createRecords } from './records.ts';
import { createTokens, createTokenVerifier } from './tokens.ts';
import { createUnwrap } from './unwrap.ts';

/** The services of operations, by what they do. Its role decides what an operation may touch (routes.ts). */

type Keys = Environment<'TABLE_NAME' | 'KEYRING_KEY_ARN' | 'KEYRING_STACK' | 'SETTINGS'>;

/** Reads records and verifies own tokens: of the keyring it unwraps public halves alone. */
export function createReading(environment: Environment) {
  const { dynamo, tableName, rings } = tableOf(environment);
  const keys = createPublicSigningKeys(rings, createUnwrap(kms(), environment));
  const tokens = createTokenVerifier(environment, keys);
  return {
    records: createRecords(dynamo, tableName),
    families: createFamilies(dynamo, tableName),
    tokens,
    keys,
    bearer: createBearer(tokens, environment),
  };
}

/** Opens secrets, and signs nothing. */
export function createProving(environment: Keys) {
  return proving(environment, tableOf(environment), createUnwrap(kms(), environment));
}

/** Opens secrets for somebody signed in, and signs nothing. */
export function createEnrolling(environment: Environment, askPool: AskPool) {
  const table = tableOf(environment);
  const unwrap = createUnwrap(kms(), environment);
  const tokens = createTokenVerifier(environment, createPublicSigningKeys(table.rings, unwrap));
  return {
    ...proving(environment, table, unwrap),
    families: createFamilies(table.dynamo, table.tableName),
    bearer: createBearer(tokens, environment, askPool),
  };
}

/** Opens secrets and signs sessions. */
export function createSigning(environment: Environment) {
  const table = tableOf(environment);
  const unwrap = createUnwrap(kms(), environment);
  return {
    ...proving(environment, table, unwrap),
    families: createFamilies(table.dynamo, table.tableName),
    tokens: createTokens(environment, createSigningKeys(table.rings, unwrap)),
  };
}

type Taking = Services & { families: Families; bearer: Bearer };

/** Takes codes from somebody signed in. */
export function createServices(environment: Environment, askPool?: AskPool): Taking {
  const signing = createSigning(environment);
  return { ...signing, bearer: createBearer(signing.tokens, environment, askPool) };
}

/** The same, for what changes the second factor and so ends sessions. */
export function createChanging(environment: Environment, askPool?: AskPool): Taking {
  const poolSessions = createPoolSessions(environment)?.(environment.USER_POOL_ID);
  return { ...createServices(environment, askPool), poolSessions };
}

function tableOf({ TABLE_NAME: tableName }: Pick<Keys, 'TABLE_NAME'>) {
  const dynamo = dynamoDb();
  return { dynamo, tableName, rings: { dynamoDb: dynamo, tableName } };
}

function proving(
  { SETTINGS: settings }: Keys,
  { dynamo, tableName, rings }: ReturnType<typeof tableOf>,
  unwrap: ReturnType<typeof createUnwrap>,
) {
  return { records: createRecords(dynamo, tableName), keyring: createKeyring(rings, unwrap), settings };
}
