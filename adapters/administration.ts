import { dynamoDb } from './aws.ts';
import { readEnvironment } from './environment.ts';
import { createRecords } from './records.ts';

/** What an administrator's operation works with: the records, and no key at all. */
export function createAdministration() {
  const environment = readEnvironment();
  const { TABLE_NAME, SETTINGS: settings, TRUSTED_ISSUERS } = environment;
  const realms = [settings.realm, ...TRUSTED_ISSUERS.map(({ realm }) => realm)];
  return {
    options: { environment, realms: [...new Set(realms)] },
    services: { records: createRecords(dynamoDb(), TABLE_NAME), settings },
  };
}
