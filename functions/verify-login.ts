import { bodyEndpoint } from '../adapters/endpoint.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { proofOf } from '../adapters/proof-of.ts';
import { createSigning } from '../adapters/services.ts';
import { verifyLogin } from '../core/verify-login.ts';
import { requests } from './contract/requests.ts';

const environment = readEnvironment();
const services = createSigning(environment);

/** POST /v1/auth/verify: answers a challenge with a code, a backup code or a ticket, for a session. */
export const handler = bodyEndpoint(
  { operation: 'verify-login', environment, body: requests['verify-login'] },
  async ({ body, client, now }) => ({
    body: await verifyLogin(services, {
      challengeToken: body.challengeToken,
      proof: proofOf(body),
      client,
      now,
    }),
  }),
);
