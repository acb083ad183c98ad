import { adminBodyEndpoint, createAdministration } from '../adapters/admin-endpoint.ts';
import { createPoolSessions } from '../adapters/pool-sessions.ts';
import { adminRevokeSessions } from '../core/admin.ts';
import { requests } from './contract/requests.ts';

const { options, services: reading } = createAdministration();
const { environment } = options;
const services = { ...reading, poolSessions: createPoolSessions(environment)?.(environment.USER_POOL_ID) };

/** POST /v1/admin/users/{userId}/sessions/revoke: ends every session of a user. */
export const handler = adminBodyEndpoint(
  { ...options, operation: 'admin-revoke-sessions', body: requests['admin-revoke-sessions'] },
  async ({ user, administrator, body, now }) => {
    await adminRevokeSessions(services, user, { by: administrator, ...body }, now);
    return { status: 204 };
  },
);
