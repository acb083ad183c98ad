import type {
  LambdaConfigType,
  UpdateUserPoolCommandInput,
  UserPoolType,
} from '@aws-sdk/client-cognito-identity-provider';
import { turnMfaOff } from '../doctor/examine.ts';
import type { Described } from './described.ts';

/**
 * What becomes of each field of DescribeUserPool. `carried`: UpdateUserPool takes it by the same name, and resets it where
 * it is left out. `fixed`: it takes no such thing, so that nothing happens to it.
 */
const fields = {
  AccountRecoverySetting: 'carried',
  AcrConfiguration: 'carried',
  AdminCreateUserConfig: 'carried',
  AliasAttributes: 'fixed',
  Arn: 'fixed',
  AutoVerifiedAttributes: 'carried',
  CreationDate: 'fixed',
  CustomDomain: 'fixed',
  DeletionProtection: 'carried',
  DeviceConfiguration: 'carried',
  Domain: 'fixed',
  EmailConfiguration: 'carried',
  EmailConfigurationFailure: 'fixed',
  EmailVerificationMessage: 'carried',
  EmailVerificationSubject: 'carried',
  EstimatedNumberOfUsers: 'fixed',
  Id: 'fixed',
  IssuerConfiguration: 'carried',
  KeyConfiguration: 'carried',
  LambdaConfig: 'carried',
  LastModifiedDate: 'fixed',
  MfaConfiguration: 'carried',
  // As PoolName.
  Name: 'fixed',
  Policies: 'carried',
  SchemaAttributes: 'fixed',
  SmsAuthenticationMessage: 'carried',
  SmsConfiguration: 'carried',
  SmsConfigurationFailure: 'fixed',
  SmsVerificationMessage: 'carried',
  Status: 'fixed',
  UserAttributeUpdateSettings: 'carried',
  UsernameAttributes: 'fixed',
  UsernameConfiguration: 'fixed',
  UserPoolAddOns: 'carried',
  UserPoolTags: 'carried',
  UserPoolTier: 'carried',
  VerificationMessageTemplate: 'carried',
} as const satisfies Record<keyof UserPoolType, 'carried' | 'fixed'>;

type Carried = {
  [K in keyof typeof fields]: (typeof fields)[K] extends 'carried' ? K : never;
}[keyof typeof fields];

/** Fails to compile when UpdateUserPool takes something that is not carried. */
type Forgotten = Exclude<keyof UpdateUserPoolCommandInput, Carried | 'UserPoolId' | 'PoolName'>;
const nothingForgotten: [Forgotten] extends [never] ? true : Forgotten = true;
void nothingForgotten;

const carriedFields = Object.entries(fields)
  .filter(([, fate]) => fate === 'carried')
  .map(([name]) => name) as Carried[];

/** The fields that are kept as they are, of those the pool has. */
export function keptFields(pool: UserPoolType): string[] {
  return carriedFields.filter((name) => name !== 'LambdaConfig' && pool[name] !== undefined);
}

/** The whole UpdateUserPool request that changes LambdaConfig and nothing else. */
export function updateRequest(
  pool: UserPoolType,
  lambdaConfig: LambdaConfigType,
): UpdateUserPoolCommandInput {
  const carried = Object.fromEntries(
    carriedFields.filter((name) => pool[name] !== undefined).map((name) => [name, pool[name]]),
  ) as Pick<UserPoolType, Carried>;
  const { AdminCreateUserConfig, UserPoolTags } = carried;
  const request: UpdateUserPoolCommandInput = {
    ...carried,
    UserPoolId: pool.Id,
    PoolName: pool.Name,
    LambdaConfig: lambdaConfig,
  };
  // Cognito shows the validity of a temporary password by both its names, and refuses to be told both.
  if (AdminCreateUserConfig && pool.Policies?.PasswordPolicy?.TemporaryPasswordValidityDays !== undefined) {
    const { UnusedAccountValidityDays: _, ...rest } = AdminCreateUserConfig;
    request.AdminCreateUserConfig = rest;
  }
  // AWS keeps its own tags itself, and takes them from nobody.
  if (UserPoolTags) {
    request.UserPoolTags = Object.fromEntries(
      Object.entries(UserPoolTags).filter(([key]) => !key.toLowerCase().startsWith('aws:')),
    );
  }
  return request;
}

/** Why the pool's settings cannot all be kept, one sentence each; empty where they can. */
export function obstacles({ pool, unknown }: Described, mfa: string | undefined): string[] {
  const [, , , region = ''] = (pool.Arn ?? '').split(':');
  const sentences = unknown.map(
    (path) =>
      `Cognito describes ${path}, which this program does not know and an update might reset. Update @aws-sdk/client-cognito-identity-provider.`,
  );
  if ((mfa ?? pool.MfaConfiguration ?? 'OFF') !== 'OFF') {
    sentences.push(
      `MfaConfiguration is ${mfa ?? pool.MfaConfiguration}: its factors are not among what UpdateUserPool takes, and the pool's own MFA comes in the triggers' way. ${turnMfaOff(pool.Id ?? '', region)}`,
    );
  }
  if (pool.UserPoolTier === 'LITE') {
    sentences.push(
      'UserPoolTier is LITE: the pre token generation trigger needs ESSENTIALS or PLUS for its events of V2_0.',
    );
  }
  return sentences;
}

export interface Difference {
  field: string;
  before: unknown;
  after: unknown;
}

/** What differs between two descriptions of a pool, besides LambdaConfig and what changes by itself. */
export function differences(before: UserPoolType, after: UserPoolType): Difference[] {
  const moving = ['LambdaConfig', 'LastModifiedDate', 'EstimatedNumberOfUsers'];
  return (Object.keys(fields) as (keyof typeof fields)[])
    .filter((field) => !moving.includes(field) && canonical(before[field]) !== canonical(after[field]))
    .map((field) => ({ field, before: before[field], after: after[field] }));
}

/** As JSON with the names of every object in order. */
export function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_, inner: unknown) =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
        : inner,
    ) ?? 'undefined'
  );
}
