import { adminEndpoint, createAdministration } from '../adapters/admin-endpoint.ts';
import { adminStatus } from '../core/admin.ts';

const { options, services } = createAdministration();

/** GET /v1/admin/users/{userId}: what support sees of a user's second factor. */
export const handler = adminEndpoint({ ...options, operation: 'admin-status' }, async ({ user, now }) => ({
  body: await adminStatus(services, user, now),
}));
