import { bearerEndpoint } from '../adapters/endpoint.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { createReading } from '../adapters/services.ts';
import { status } from '../core/status.ts';

const environment = readEnvironment();
const { records, bearer } = createReading(environment);

/** GET /v1/authenticators: the caller's authenticators, and how many backup codes are left. */
export const handler = bearerEndpoint({ operation: 'status', environment, bearer }, async ({ caller }) => ({
  body: await status({ records }, caller),
}));
