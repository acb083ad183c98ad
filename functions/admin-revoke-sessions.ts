import { createAdministration } from '../adapters/administration.ts';
import { adminEndpoint } from '../adapters/endpoint.ts';
import { createPoolSessions } from '../adapters/pool-sessions.ts';
import { adminRevokeSessions } from '../core/admin.ts';

const { options, services: reading } = createAdministration();
const { environment } = options;
const services = { ...reading, poolSessions: createPoolSessions(environment)?.(environment.USER_POOL_ID) };

/** POST /v1/admin/users/{userId}/sessions/revoke: ends every session of a user. */
export const handler = adminEndpoint(
  { ...options, operation: 'admin-revoke-sessions' },
  async ({ user, now }) => {
    await adminRevokeSessions(services, user, now);
    return { status: 204 };
  },
);
