import * as v from 'valibot';
import { bodyEndpoint } from '../adapters/endpoint.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { token } from '../adapters/fields.ts';
import { createSigning } from '../adapters/services.ts';
import { refresh } from '../core/refresh.ts';

const environment = readEnvironment();
const services = createSigning(environment);

const body = v.strictObject({ refreshToken: token });

/** POST /v1/auth/refresh: the next pair of tokens; a refresh token works once. */
export const handler = bodyEndpoint(
  { operation: 'refresh', environment, body },
  async ({ body, client, now }) => ({ body: await refresh(services, { ...body, client, now }) }),
);
