import { bodyEndpoint } from '../adapters/endpoint.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { createReading } from '../adapters/services.ts';
import { logout } from '../core/logout.ts';
import { requests } from './contract/requests.ts';

const environment = readEnvironment();
const services = createReading(environment);

/** POST /v1/auth/logout: ends the session of this refresh token. */
export const handler = bodyEndpoint(
  { operation: 'logout', environment, body: requests.logout },
  async ({ body, client, now }) => {
    await logout(services, { ...body, client, now });
    return { status: 204 };
  },
);
