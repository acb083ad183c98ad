import * as v from 'valibot';
import { dynamoDb } from './aws.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { createRecords } from './records.ts';

/** Why an administrator acts, in their own words. Kept in the record. */
export const reason = v.optional(
  v.pipe(
    v.string(),
    v.trim(),
    v.minLength(1, 'not empty'),
    v.maxBytes(200, 'at most 200 bytes'),
    v.regex(/^[^\p{Cc}\p{Cs}]*$/u, 'no control characters'),
  ),
);

/** What an administrator's operation works with: the records, and no key at all. */
export function createAdministration() {
  const environment = readEnvironment();
  const { TABLE_NAME, SETTINGS: settings } = environment;
  return {
    options: administrationOf(environment),
    services: { records: createRecords(dynamoDb(), TABLE_NAME), settings },
  };
}

/** The realms whose users an administrator may name; the pool's own is the first. */
export function administrationOf(environment: Environment) {
  const { SETTINGS, TRUSTED_ISSUERS } = environment;
  const realms = [SETTINGS.realm, ...TRUSTED_ISSUERS.map(({ realm }) => realm)];
  return { environment, realms: [...new Set(realms)] };
}
