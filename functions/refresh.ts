import { bodyEndpoint } from '../adapters/endpoint.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { createSigning } from '../adapters/services.ts';
import { refresh } from '../core/refresh.ts';
import { requests } from './contract/requests.ts';

const environment = readEnvironment();
const services = createSigning(environment);

/** POST /v1/auth/refresh: the next pair of tokens; a refresh token works once. */
export const handler = bodyEndpoint(
  { operation: 'refresh', environment, body: requests.refresh },
  async ({ body, client, now }) => ({ body: await refresh(services, { ...body, client, now }) }),
);
