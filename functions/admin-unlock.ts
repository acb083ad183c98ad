import * as v from 'valibot';
import { adminBodyEndpoint, createAdministration, reason } from '../adapters/admin-endpoint.ts';
import { adminUnlock } from '../core/admin.ts';

const { options, services } = createAdministration();

const body = v.strictObject({ reason, passwordChanged: v.optional(v.boolean(), false) });

/** POST /v1/admin/users/{userId}/unlock: lifts a lock, and a stop once the user has a new password. */
export const handler = adminBodyEndpoint(
  { ...options, operation: 'admin-unlock', body },
  async ({ user, administrator, body, now }) => ({
    body: await adminUnlock(services, user, { by: administrator, ...body }, now),
  }),
);
