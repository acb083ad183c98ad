import * as v from 'valibot';
import { adminBodyEndpoint, createAdministration, reason } from '../adapters/admin-endpoint.ts';
import { createPoolSessions } from '../adapters/pool-sessions.ts';
import { adminRevokeSessions } from '../core/admin.ts';

const { options, services: reading } = createAdministration();
const { environment } = options;
const services = { ...reading, poolSessions: createPoolSessions(environment)?.(environment.USER_POOL_ID) };

const body = v.strictObject({ reason });

/** POST /v1/admin/users/{userId}/sessions/revoke: ends every session of a user. */
export const handler = adminBodyEndpoint(
  { ...options, operation: 'admin-revoke-sessions', body },
  async ({ user, administrator, body, now }) => {
    await adminRevokeSessions(services, user, { by: administrator, ...body }, now);
    return { status: 204 };
  },
);
