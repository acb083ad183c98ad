import { bearerBodyEndpoint } from '../adapters/endpoint.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { createChanging } from '../adapters/services.ts';
import { rotateBackupCodes } from '../core/rotate-backup-codes.ts';
import { requests } from './contract/requests.ts';

const environment = readEnvironment();
const services = createChanging(environment);
const { bearer } = services;

/** POST /v1/backup-codes/rotate: ten new backup codes; every older one is dead. */
export const handler = bearerBodyEndpoint(
  { operation: 'rotate-backup-codes', environment, bearer, body: requests['rotate-backup-codes'] },
  async ({ caller, body, client, now }) => ({
    body: await rotateBackupCodes(services, { caller, ...body, client, now }),
  }),
);
