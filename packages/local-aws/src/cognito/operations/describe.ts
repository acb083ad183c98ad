import type { Operation } from '../../http/json-protocol.ts';
import type { Client } from '../client.ts';
import { invalidParameter, resourceNotFound } from '../errors.ts';
import { type Input, optional, required } from '../input.ts';
import type { Pool } from '../pool.ts';
import { type Cognito, guarded } from './access.ts';
import { poolView } from './pool-view.ts';

function clientView(pool: Pool, client: Client) {
  // Resource and API name these fields alike; what only the resource has is left out.
  const { GenerateSecret: _, ...properties } = client.properties;
  return {
    PreventUserExistenceErrors: 'LEGACY',
    EnableTokenRevocation: client.revocable,
    AuthSessionValidity: client.sessionValidity / 60,
    RefreshTokenValidity: 30,
    ...properties,
    UserPoolId: pool.id,
    ClientId: client.id,
    ClientName: client.name,
    ...(client.secret === undefined ? {} : { ClientSecret: client.secret }),
  };
}

function describeClient(pool: Pool, input: Input) {
  const id = required(input, 'ClientId');
  const client = pool.clients.get(id);
  if (!client) throw resourceNotFound(`User pool client ${id} does not exist.`);
  return { UserPoolClient: clientView(pool, client) };
}

/** One page by MaxResults and NextToken; the token is where the next one starts. */
function paged<T>(all: T[], input: Input, most: number): { items: T[]; NextToken?: string } {
  const size = Number(input['MaxResults'] ?? most);
  if (!Number.isInteger(size) || size < 1 || size > most) {
    throw invalidParameter(
      `1 validation error detected: Value '${size}' at 'maxResults' failed to satisfy constraint: Member must have value between 1 and ${most}`,
    );
  }
  const token = optional(input, 'NextToken') ?? '0';
  if (!/^\d{1,9}$/.test(token)) throw invalidParameter('Invalid pagination token');
  const end = Number(token) + size;
  return { items: all.slice(Number(token), end), ...(end < all.length ? { NextToken: String(end) } : {}) };
}

/** Shows the settings of a pool and its clients. */
export function describeOperations(cognito: Cognito): Record<string, Operation> {
  return {
    DescribeUserPool: guarded(cognito, 'DescribeUserPool', (pool) => ({ UserPool: poolView(pool) })),
    DescribeUserPoolClient: guarded(cognito, 'DescribeUserPoolClient', describeClient),
    ListUserPoolClients: guarded(cognito, 'ListUserPoolClients', (pool, input) => {
      const { items, ...next } = paged([...pool.clients.values()], input, 60);
      return {
        UserPoolClients: items.map(({ id, name }) => ({
          ClientId: id,
          ClientName: name,
          UserPoolId: pool.id,
        })),
        ...next,
      };
    }),
    GetUserPoolMfaConfig: guarded(cognito, 'GetUserPoolMfaConfig', (pool) => ({
      MfaConfiguration: pool.settings.mfa,
      ...(pool.settings.mfa === 'OFF' ? {} : { SoftwareTokenMfaConfiguration: { Enabled: true } }),
    })),
    ListIdentityProviders: guarded(cognito, 'ListIdentityProviders', (pool, input) => {
      const { items, ...next } = paged(pool.definition.identityProviders ?? [], input, 60);
      return {
        Providers: items.map(({ name, type }) => ({ ProviderName: name, ProviderType: type })),
        ...next,
      };
    }),
  };
}
