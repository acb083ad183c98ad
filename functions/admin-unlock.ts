import { createAdministration } from '../adapters/administration.ts';
import { adminEndpoint } from '../adapters/endpoint.ts';
import { adminUnlock } from '../core/admin.ts';

const { options, services } = createAdministration();

/** POST /v1/admin/users/{userId}/unlock: lifts a lock. A stopped factor is reset instead. */
export const handler = adminEndpoint({ ...options, operation: 'admin-unlock' }, async ({ user, now }) => ({
  body: await adminUnlock(services, user, now),
}));
