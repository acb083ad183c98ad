import type { Operation } from '../../aws/server.ts';
import type { Client } from '../client.ts';
import { resourceNotFound } from '../errors.ts';
import { type Input, required } from '../input.ts';
import type { Pool } from '../pool.ts';
import { names, part } from '../properties.ts';
import { type Context, guarded } from './access.ts';

function poolView(pool: Pool) {
  const { properties, name, arn } = pool.definition;
  const policy = pool.settings.password;
  const schema = Array.isArray(properties['Schema']) ? properties['Schema'] : [];
  const optionalLists = Object.fromEntries(
    ['UsernameAttributes', 'AliasAttributes', 'AutoVerifiedAttributes']
      .map((key) => [key, names(properties, key)] as const)
      .filter(([, value]) => value !== undefined),
  );
  return {
    Id: pool.id,
    Name: name,
    Arn: arn,
    Policies: {
      PasswordPolicy: {
        MinimumLength: policy.minimumLength,
        RequireUppercase: policy.uppercase,
        RequireLowercase: policy.lowercase,
        RequireNumbers: policy.numbers,
        RequireSymbols: policy.symbols,
        TemporaryPasswordValidityDays: policy.temporaryDays,
      },
    },
    LambdaConfig: part(properties, 'LambdaConfig'),
    SchemaAttributes: schema,
    ...optionalLists,
    MfaConfiguration: pool.settings.mfa,
    EstimatedNumberOfUsers: pool.users.all().length,
    AdminCreateUserConfig: { AllowAdminCreateUserOnly: pool.settings.adminCreateOnly },
    UsernameConfiguration: { CaseSensitive: pool.settings.caseSensitive },
    UserPoolTier: properties['UserPoolTier'] ?? 'ESSENTIALS',
    DeletionProtection: properties['DeletionProtection'] ?? 'INACTIVE',
    ...('AccountRecoverySetting' in properties
      ? { AccountRecoverySetting: properties['AccountRecoverySetting'] }
      : {}),
    ...('UserPoolAddOns' in properties ? { UserPoolAddOns: properties['UserPoolAddOns'] } : {}),
  };
}

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

/** What a pool and its clients are set to. */
export function describeOperations(context: Context): Record<string, Operation> {
  return {
    DescribeUserPool: guarded(context, 'DescribeUserPool', (pool) => ({ UserPool: poolView(pool) })),
    DescribeUserPoolClient: guarded(context, 'DescribeUserPoolClient', describeClient),
    ListUserPoolClients: guarded(context, 'ListUserPoolClients', (pool) => ({
      UserPoolClients: [...pool.clients.values()].map((client) => ({
        ClientId: client.id,
        ClientName: client.name,
        UserPoolId: pool.id,
      })),
    })),
    GetUserPoolMfaConfig: guarded(context, 'GetUserPoolMfaConfig', (pool) => ({
      MfaConfiguration: pool.settings.mfa,
      ...(pool.settings.mfa === 'OFF' ? {} : { SoftwareTokenMfaConfiguration: { Enabled: true } }),
    })),
    ListIdentityProviders: guarded(context, 'ListIdentityProviders', () => ({ Providers: [] })),
  };
}
