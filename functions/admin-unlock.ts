import * as v from 'valibot';
import { createAdministration, reason } from '../adapters/administration.ts';
import { adminBodyEndpoint } from '../adapters/endpoint.ts';
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
