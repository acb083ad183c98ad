import { bearerBodyEndpoint } from '../adapters/endpoint.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { proofOf } from '../adapters/proof-of.ts';
import { createChanging } from '../adapters/services.ts';
import { disable } from '../core/disable.ts';
import { requests } from './contract/requests.ts';

const environment = readEnvironment();
const services = createChanging(environment);
const { bearer } = services;

/** POST /v1/authenticators/disable: removes one authenticator, or all of them with the backup codes. */
export const handler = bearerBodyEndpoint(
  { operation: 'disable', environment, bearer, body: requests.disable },
  async ({ caller, body, client, now }) => ({
    body: await disable(services, {
      caller,
      proof: proofOf(body),
      authenticatorId: body.authenticatorId,
      client,
      now,
    }),
  }),
);
