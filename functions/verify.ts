import * as v from 'valibot';
import { bearerBodyEndpoint } from '../adapters/endpoint.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { exactlyOne, proofFields, proofOf } from '../adapters/fields.ts';
import { createServices } from '../adapters/services.ts';
import { verify } from '../core/verify.ts';

const environment = readEnvironment();
const services = createServices(environment);
const { bearer } = services;

const body = v.pipe(v.strictObject(proofFields), exactlyOne());

/** POST /v1/authenticators/verify: step-up, for an access token that says the second factor was proved just now. */
export const handler = bearerBodyEndpoint(
  { operation: 'verify', environment, bearer, body },
  async ({ caller, body, client, now }) => ({
    body: await verify(services, { caller, proof: proofOf(body), client, now }),
  }),
);
