import { AwsError } from '../../aws-error.ts';
import type { Operation } from '../../http/json-protocol.ts';
import { invalidParameter } from '../errors.ts';
import { type Input, optional } from '../input.ts';
import type { Pool } from '../pool.ts';
import { type Properties, part, text } from '../properties.ts';
import { type Cognito, guarded } from './access.ts';
import { updatable } from './pool-view.ts';

/**
 * "If you don't provide a value for an attribute, Amazon Cognito sets it to its default value" (UpdateUserPool). The
 * schema and the kind of user names stay.
 */
function updateUserPool(pool: Pool, input: Input): void {
  const { UserPoolId: _, PoolName, ...given } = input;
  const strange = Object.keys(given).find((name) => !(updatable as readonly string[]).includes(name));
  // A null in a request counts as left out.
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
  if (strange !== undefined) throw invalidParameter(`${strange} is not known here.`);
  checkSettings(set);
  const before = pool.definition.properties;
  const kept = Object.keys(before).filter((name) => !(updatable as readonly string[]).includes(name));
  const name = optional(input, 'PoolName');
  const properties: Properties = {
    ...Object.fromEntries(kept.map((property) => [property, before[property]])),
    ...(name === undefined ? {} : { UserPoolName: name }),
    ...set,
    UserPoolTags: { ...awsTags(before), ...part(set, 'UserPoolTags') },
  };
  try {
    pool.update(properties);
  } catch (error) {
    throw new AwsError('UnsupportedOperationException', (error as Error).message);
  }
}

/** Tags that AWS makes itself cannot be taken away. */
function awsTags(properties: Properties): Properties {
  return Object.fromEntries(
    Object.entries(part(properties, 'UserPoolTags')).filter(([key]) => isAwsTag(key)),
  );
}

const isAwsTag = (key: string) => key.toLowerCase().startsWith('aws:');

function checkSettings(set: Properties): void {
  const temporary = part(part(set, 'Policies'), 'PasswordPolicy')['TemporaryPasswordValidityDays'];
  const unused = part(set, 'AdminCreateUserConfig')['UnusedAccountValidityDays'];
  if (temporary !== undefined && unused !== undefined && unused !== 0) {
    throw invalidParameter(
      'Please use TemporaryPasswordValidityDays in PasswordPolicy instead of UnusedAccountValidityDays',
    );
  }
  if (Object.keys(part(set, 'UserPoolTags')).some(isAwsTag)) {
    throw invalidParameter('aws: prefixed tag key names are not allowed for external use.');
  }
  if (['ON', 'OPTIONAL'].includes(text(set, 'MfaConfiguration') ?? '') && !('SmsConfiguration' in set)) {
    throw invalidParameter(
      'SMS configuration and Auto verification for phone_number are required when MFA is required/optional',
    );
  }
  checkTriggers(part(set, 'LambdaConfig'), text(set, 'UserPoolTier') ?? 'ESSENTIALS');
}

function checkTriggers(config: Properties, tier: string): void {
  const versioned = part(config, 'PreTokenGenerationConfig');
  const legacy = text(config, 'PreTokenGeneration');
  if (!('PreTokenGenerationConfig' in config)) return;
  if (legacy !== undefined && legacy !== text(versioned, 'LambdaArn')) {
    throw invalidParameter('PreTokenGeneration and PreTokenGenerationConfig name different functions.');
  }
  if (tier === 'LITE' && text(versioned, 'LambdaVersion') !== 'V1_0') {
    throw new AwsError(
      'FeatureUnavailableInTierException',
      `The version ${text(versioned, 'LambdaVersion')} of the pre token generation trigger is not available in the LITE tier.`,
    );
  }
}

/** Changes the settings of a pool. */
export function updateOperations(cognito: Cognito): Record<string, Operation> {
  return { UpdateUserPool: guarded(cognito, 'UpdateUserPool', updateUserPool) };
}
