import { createHash, createHmac, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import type { Context } from '../context.ts';
import { openJsonFile } from '../files/json-file.ts';
import { type Client, checkWriteAttributes, readClient } from './client.ts';
import { resourceNotFound } from './errors.ts';
import { openKeys, type PoolKeys } from './keys.ts';
import { type Properties, truth } from './properties.ts';
import { openRevocations, type Revocations } from './revocations.ts';
import { createSessions, type Sessions } from './sessions.ts';
import { type PoolSettings, readSettings } from './settings.ts';
import { createTokens, type Tokens } from './tokens.ts';
import { type CallTrigger, createTriggers, type InvokeTrigger } from './triggers.ts';
import { createUsers, type PoolState, type Users } from './users.ts';

/** A pool as the template describes it. */
export interface PoolDefinition {
  id: string;
  arn: string;
  name: string;
  /** `AWS::Cognito::UserPool` Properties. */
  properties: Properties;
  /** `AWS::Cognito::UserPoolClient` Properties, by client id. */
  clients: { id: string; properties: Properties }[];
  /** Federated ones. @default none */
  identityProviders?: { name: string; type: string }[];
}

/** A pool that runs. */
export interface Pool {
  definition: PoolDefinition;
  id: string;
  /** The part of the id after the underscore, which SRP hashes. */
  shortName: string;
  /** The settings by `definition.properties`; follow their changes. */
  readonly settings: PoolSettings;
  clients: ReadonlyMap<string, Client>;
  clock: Clock;
  users: Users;
  keys: PoolKeys;
  tokens: Tokens;
  sessions: Sessions;
  revocations: Revocations;
  call: CallTrigger;
  /** Replaces its properties. Throws an Error for one that is not emulated, and then changes nothing. */
  update(properties: Properties): void;
  /** Bytes that depend on pool, purpose and name only, and look random to everybody else. */
  pseudonym(purpose: string, name: string): Buffer;
}

/** Opens a pool on its files in `folder`: `<id>.json` (users), `<id>.settings.json`, `<id>.keys.json`, `<id>.revoked`. */
export function openPool(
  template: PoolDefinition,
  options: { context: Context; folder: string; invokeTrigger: InvokeTrigger },
): Pool {
  const { id } = template;
  const { clock, region } = options.context;
  // Settings made by API calls last until the template says something new, as they would beside CloudFormation.
  const made = createHash('sha256').update(JSON.stringify(template.properties)).digest('hex');
  const kept = openJsonFile(join(options.folder, `${id}.settings.json`), () => ({
    template: made,
    properties: template.properties,
  }));
  if (kept.value.template !== made) {
    Object.assign(kept.value, { template: made, properties: template.properties });
    kept.save();
  }
  const definition = { ...template, properties: kept.value.properties };
  const settings = readSettings(id, definition.properties);
  const keys = openKeys(join(options.folder, `${id}.keys.json`));
  const file = openJsonFile<PoolState>(join(options.folder, `${id}.json`), () => ({
    users: [],
    clientSecrets: {},
  }));
  const clients = new Map<string, Client>();
  for (const client of definition.clients) {
    if (truth(client.properties, 'GenerateSecret', false) && !(client.id in file.value.clientSecrets)) {
      file.value.clientSecrets[client.id] = randomBytes(32).toString('hex');
      file.save();
    }
    const read = readClient(client.id, client.properties, file.value.clientSecrets[client.id]);
    checkWriteAttributes(read, settings);
    clients.set(client.id, read);
  }
  return {
    definition,
    id,
    shortName: id.slice(id.indexOf('_') + 1),
    settings,
    clients,
    clock,
    users: createUsers(settings, file, clock.seconds),
    keys,
    tokens: createTokens({
      issuer: () => `https://${settings.issuerHost}.${region}.amazonaws.com/${id}`,
      keys,
      clock,
    }),
    sessions: createSessions(clock),
    revocations: openRevocations(join(options.folder, `${id}.revoked`), clock.seconds),
    update(properties) {
      Object.assign(settings, readSettings(id, properties));
      definition.properties = properties;
      kept.value.properties = properties;
      kept.save();
    },
    call: createTriggers({ poolId: id, region, settings, clock, invoke: options.invokeTrigger }),
    pseudonym: (purpose, name) =>
      createHmac('sha256', Buffer.from(keys.pseudonymKey, 'base64')).update(`${purpose}\0${name}`).digest(),
  };
}

/** The pools of this machine. */
export interface Pools {
  /** Throws `ResourceNotFoundException`. */
  byId(poolId: string): Pool;
  byClient(clientId: string): { pool: Pool; client: Client };
}

/** Makes the lookup of these pools. */
export function listPools(pools: readonly Pool[]): Pools {
  return {
    byId(poolId) {
      const pool = pools.find((candidate) => candidate.id === poolId);
      if (!pool) throw resourceNotFound(`User pool ${poolId} does not exist.`);
      return pool;
    },
    byClient(clientId) {
      for (const pool of pools) {
        const client = pool.clients.get(clientId);
        if (client) return { pool, client };
      }
      throw resourceNotFound(`User pool client ${clientId} does not exist.`);
    },
  };
}
