import * as v from 'valibot';
import { bodyEndpoint } from '../adapters/endpoint.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { credential } from '../adapters/fields.ts';
import { createCognitoFirstFactor, sourceOf } from '../adapters/first-factor.ts';
import { createSigning } from '../adapters/services.ts';
import { login } from '../core/login.ts';

const environment = readEnvironment();
const services = { ...createSigning(environment), firstFactor: createCognitoFirstFactor(environment) };

const body = v.strictObject({ username: credential(128), password: credential(256) });

/** POST /v1/auth/login: the first factor; a session, or a challenge where there is a second. */
export const handler = bodyEndpoint(
  { operation: 'login', environment, body },
  async ({ body, client, event, now }) => ({
    body: await login(services, { ...body, source: sourceOf(event), client, now }),
  }),
);
