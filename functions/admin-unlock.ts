import { adminBodyEndpoint, createAdministration } from '../adapters/admin-endpoint.ts';
import { adminUnlock } from '../core/admin.ts';
import { requests } from './contract/requests.ts';

const { options, services } = createAdministration();

/** POST /v1/admin/users/{userId}/unlock: lifts a lock, and a stop once the user has a new password. */
export const handler = adminBodyEndpoint(
  { ...options, operation: 'admin-unlock', body: requests['admin-unlock'] },
  async ({ user, administrator, body, now }) => ({
    body: await adminUnlock(services, user, { by: administrator, ...body }, now),
  }),
);
