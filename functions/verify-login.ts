import * as v from 'valibot';
import { bodyEndpoint } from '../adapters/endpoint.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { exactlyOne, proofOf, signInFields, token } from '../adapters/fields.ts';
import { createSigning } from '../adapters/services.ts';
import { verifyLogin } from '../core/verify-login.ts';

const environment = readEnvironment();
const services = createSigning(environment);

const body = v.pipe(
  v.strictObject({ challengeToken: token, ...signInFields }),
  exactlyOne('code, backupCode and enrollmentTicket'),
);

/** POST /v1/auth/verify: answers a challenge with a code, a backup code or a ticket, for a session. */
export const handler = bodyEndpoint(
  { operation: 'verify-login', environment, body },
  async ({ body, client, now }) => ({
    body: await verifyLogin(services, {
      challengeToken: body.challengeToken,
      proof: proofOf(body),
      client,
      now,
    }),
  }),
);
