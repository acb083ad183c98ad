import { createAdministration } from '../adapters/administration.ts';
import { adminEndpoint } from '../adapters/endpoint.ts';
import { adminRevokeSessions } from '../core/admin.ts';

const { options, services } = createAdministration();

/** POST /v1/admin/users/{userId}/sessions/revoke: ends every session of a user. */
export const handler = adminEndpoint(
  { ...options, operation: 'admin-revoke-sessions' },
  async ({ user, now }) => {
    await adminRevokeSessions(services, user, now);
    return { status: 204 };
  },
);
