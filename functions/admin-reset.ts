import { adminBodyEndpoint, administrationOf } from '../adapters/admin-endpoint.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { createPoolSessions } from '../adapters/pool-sessions.ts';
import { createProving } from '../adapters/services.ts';
import { adminReset } from '../core/admin.ts';
import { requests } from './contract/requests.ts';

const environment = readEnvironment();
const poolSessions = createPoolSessions(environment)?.(environment.USER_POOL_ID);
const services = { ...createProving(environment), poolSessions };

/** POST /v1/admin/users/{userId}/reset: removes the second factor, and gives the ticket to enroll again with. */
export const handler = adminBodyEndpoint(
  { ...administrationOf(environment), operation: 'admin-reset', body: requests['admin-reset'] },
  async ({ user, administrator, body, now }) => ({
    body: await adminReset(services, user, { by: administrator, ...body }, now),
  }),
);
