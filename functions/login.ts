import { bodyEndpoint } from '../adapters/endpoint.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { createCognitoFirstFactor, sourceOf } from '../adapters/first-factor.ts';
import { createSigning } from '../adapters/services.ts';
import { login } from '../core/login.ts';
import { requests } from './contract/requests.ts';

const environment = readEnvironment();
const services = { ...createSigning(environment), firstFactor: createCognitoFirstFactor(environment) };

/** POST /v1/auth/login: the first factor; a session, or a challenge where there is a second. */
export const handler = bodyEndpoint(
  { operation: 'login', environment, body: requests.login },
  async ({ body, client, event, now }) => ({
    body: await login(services, { ...body, source: sourceOf(event), client, now }),
  }),
);
