import type {
  LambdaConfigType,
  UpdateUserPoolCommandInput,
  UserPoolType,
} from '@aws-sdk/client-cognito-identity-provider';
import { turnMfaOff } from '../doctor/examine.ts';
import type { Described } from './described.ts';

/**
 * Every field of DescribeUserPool. `carried`: UpdateUserPool takes it under the same name, and resets it if a
 * request leaves it out. `fixed`: UpdateUserPool does not take it, so it stays as it is.
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
  // UpdateUserPool takes it as PoolName.
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

/** Does not compile if UpdateUserPool takes a field that is not carried. */
type Forgotten = Exclude<keyof UpdateUserPoolCommandInput, Carried | 'UserPoolId' | 'PoolName'>;
const nothingForgotten: [Forgotten] extends [never] ? true : Forgotten = true;
void nothingForgotten;

const carriedFields = Object.entries(fields)
  .filter(([, fate]) => fate === 'carried')
  .map(([name]) => name) as Carried[];

/** Returns the names of the pool's settings that an update keeps as they are. */
export function keptFields(pool: UserPoolType): string[] {
  return carriedFields.filter((name) => name !== 'LambdaConfig' && pool[name] !== undefined);
}

/** Returns the whole UpdateUserPool request, which changes LambdaConfig and nothing else. */
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
  // Cognito returns a temporary password's validity under both its names, and refuses a request with both.
  if (AdminCreateUserConfig && pool.Policies?.PasswordPolicy?.TemporaryPasswordValidityDays !== undefined) {
    const { UnusedAccountValidityDays: _, ...rest } = AdminCreateUserConfig;
    request.AdminCreateUserConfig = rest;
  }
  // AWS manages its own tags, and refuses them in a request.
  if (UserPoolTags) {
    request.UserPoolTags = Object.fromEntries(
      Object.entries(UserPoolTags).filter(([key]) => !key.toLowerCase().startsWith('aws:')),
    );
  }
  return request;
}

/**
 * Returns why an update could not keep all settings, one sentence for each reason. Empty if it could.
 *
 * @param mfa MfaConfiguration as GetUserPoolMfaConfig returns it
 */
export function obstacles({ pool, unknown }: Described, mfa: string | undefined): string[] {
  const [, , , region = ''] = (pool.Arn ?? '').split(':');
  const sentences = unknown.map(
    (path) =>
      `Cognito describes ${path}, which this program does not know. An update might reset it. Update @aws-sdk/client-cognito-identity-provider.`,
  );
  if ((mfa ?? pool.MfaConfiguration ?? 'OFF') !== 'OFF') {
    sentences.push(
      `MfaConfiguration is ${mfa ?? pool.MfaConfiguration}: UpdateUserPool does not take its factors, and the pool's own MFA conflicts with the triggers. ${turnMfaOff(pool.Id ?? '', region)}`,
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

/** Returns how two descriptions differ. Ignores LambdaConfig and fields that change by themselves. */
export function differences(before: UserPoolType, after: UserPoolType): Difference[] {
  const moving = ['LambdaConfig', 'LastModifiedDate', 'EstimatedNumberOfUsers'];
  return (Object.keys(fields) as (keyof typeof fields)[])
    .filter((field) => !moving.includes(field) && canonical(before[field]) !== canonical(after[field]))
    .map((field) => ({ field, before: before[field], after: after[field] }));
}

/** Returns a value as JSON with the names of every object sorted, so that equal values give equal texts. */
export function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_, inner: unknown) =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
        : inner,
    ) ?? 'undefined'
  );
}
