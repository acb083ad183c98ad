import { createAdministration } from '../adapters/administration.ts';
import { adminEndpoint } from '../adapters/endpoint.ts';
import { createPoolSessions } from '../adapters/pool-sessions.ts';
import { adminReset } from '../core/admin.ts';

const { options, services: reading } = createAdministration();
const { environment } = options;
const services = { ...reading, poolSessions: createPoolSessions(environment)?.(environment.USER_POOL_ID) };

/** POST /v1/admin/users/{userId}/reset: removes the second factor and ends every session; the user enrols anew. */
export const handler = adminEndpoint({ ...options, operation: 'admin-reset' }, async ({ user, now }) => ({
  body: await adminReset(services, user, now),
}));
