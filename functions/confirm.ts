import { bearerBodyEndpoint } from '../adapters/endpoint.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { createAskPool } from '../adapters/pool-token.ts';
import { createChanging } from '../adapters/services.ts';
import { confirm } from '../core/confirm.ts';
import { requests } from './contract/requests.ts';

const environment = readEnvironment();
const services = createChanging(environment, createAskPool());
const { bearer } = services;

/** POST /v1/totp/confirm: a code of the new authenticator puts it in force; backup codes with the first. */
export const handler = bearerBodyEndpoint(
  { operation: 'confirm', environment, bearer, body: requests.confirm },
  async ({ caller, body, client, now }) => ({
    body: await confirm(services, { caller, ...body, client, now }),
  }),
);
