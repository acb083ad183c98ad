import * as v from 'valibot';
import { bodyEndpoint } from '../adapters/endpoint.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { token } from '../adapters/fields.ts';
import { createReading } from '../adapters/services.ts';
import { logout } from '../core/logout.ts';

const environment = readEnvironment();
const services = createReading(environment);

const body = v.strictObject({ refreshToken: token });

/** POST /v1/auth/logout: ends the session of this refresh token. */
export const handler = bodyEndpoint(
  { operation: 'logout', environment, body },
  async ({ body, client, now }) => {
    await logout(services, { ...body, client, now });
    return { status: 204 };
  },
);
