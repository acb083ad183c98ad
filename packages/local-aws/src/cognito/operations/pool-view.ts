import type { Pool } from '../pool.ts';
import { part } from '../properties.ts';

/**
 * The settings that UpdateUserPool takes. Resource, request and DescribeUserPool name them alike. A setting that a
 * request leaves out goes back to its default.
 */
export const updatable = [
  'AccountRecoverySetting',
  'AcrConfiguration',
  'AdminCreateUserConfig',
  'AutoVerifiedAttributes',
  'DeletionProtection',
  'DeviceConfiguration',
  'EmailConfiguration',
  'EmailVerificationMessage',
  'EmailVerificationSubject',
  'IssuerConfiguration',
  'KeyConfiguration',
  'LambdaConfig',
  'MfaConfiguration',
  'Policies',
  'SmsAuthenticationMessage',
  'SmsConfiguration',
  'SmsVerificationMessage',
  'UserAttributeUpdateSettings',
  'UserPoolAddOns',
  'UserPoolTags',
  'UserPoolTier',
  'VerificationMessageTemplate',
] as const;

/** A pool as DescribeUserPool shows it: what it is set to, and the defaults of what it is not. */
export function poolView(pool: Pool) {
  const { properties, name, arn } = pool.definition;
  const policy = pool.settings.password;
  const policies = part(properties, 'Policies');
  const schema = Array.isArray(properties['Schema']) ? properties['Schema'] : [];
  const shown = [...updatable, 'UsernameAttributes', 'AliasAttributes'];
  return {
    VerificationMessageTemplate: { DefaultEmailOption: 'CONFIRM_WITH_CODE' },
    EmailConfiguration: { EmailSendingAccount: 'COGNITO_DEFAULT' },
    UserPoolTags: {},
    UserPoolTier: 'ESSENTIALS',
    DeletionProtection: 'INACTIVE',
    ...Object.fromEntries(
      shown.filter((field) => properties[field] !== undefined).map((field) => [field, properties[field]]),
    ),
    Id: pool.id,
    Name: properties['UserPoolName'] ?? name,
    Arn: arn,
    Policies: {
      PasswordPolicy: {
        ...part(policies, 'PasswordPolicy'),
        MinimumLength: policy.minimumLength,
        RequireUppercase: policy.uppercase,
        RequireLowercase: policy.lowercase,
        RequireNumbers: policy.numbers,
        RequireSymbols: policy.symbols,
        TemporaryPasswordValidityDays: policy.temporaryDays,
      },
      SignInPolicy: policies['SignInPolicy'] ?? { AllowedFirstAuthFactors: ['PASSWORD'] },
    },
    LambdaConfig: part(properties, 'LambdaConfig'),
    SchemaAttributes: schema,
    MfaConfiguration: pool.settings.mfa,
    EstimatedNumberOfUsers: pool.users.all().length,
    // The old name of the temporary password's validity is shown along with the new one.
    AdminCreateUserConfig: {
      ...part(properties, 'AdminCreateUserConfig'),
      AllowAdminCreateUserOnly: pool.settings.adminCreateOnly,
      UnusedAccountValidityDays: policy.temporaryDays,
    },
    UsernameConfiguration: { CaseSensitive: pool.settings.caseSensitive },
  };
}
