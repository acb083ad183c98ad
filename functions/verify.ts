import { bearerBodyEndpoint } from '../adapters/endpoint.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { proofOf } from '../adapters/proof-of.ts';
import { createServices } from '../adapters/services.ts';
import { verify } from '../core/verify.ts';
import { requests } from './contract/requests.ts';

const environment = readEnvironment();
const services = createServices(environment);
const { bearer } = services;

/** POST /v1/authenticators/verify: step-up, for an access token that says the second factor was proved just now. */
export const handler = bearerBodyEndpoint(
  { operation: 'verify', environment, bearer, body: requests.verify },
  async ({ caller, body, client, now }) => ({
    body: await verify(services, { caller, proof: proofOf(body), client, now }),
  }),
);
