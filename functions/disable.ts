import * as v from 'valibot';
import { bearerBodyEndpoint } from '../adapters/endpoint.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { exactlyOne, id, proofFields, proofOf } from '../adapters/fields.ts';
import { createPoolSessions } from '../adapters/pool-sessions.ts';
import { createServices } from '../adapters/services.ts';
import { disable } from '../core/disable.ts';

const environment = readEnvironment();
const { bearer, ...proving } = createServices(environment);
const services = {
  ...proving,
  poolSessions: createPoolSessions(proving.settings)?.(environment.USER_POOL_ID),
};

const body = v.pipe(v.strictObject({ authenticatorId: v.optional(id), ...proofFields }), exactlyOne());

/** POST /v1/totp/disable: removes one authenticator, or all of them with the backup codes. */
export const handler = bearerBodyEndpoint(
  { operation: 'disable', environment, bearer, body },
  async ({ caller, body, client, now }) => ({
    body: await disable(services, {
      caller,
      proof: proofOf(body),
      authenticatorId: body.authenticatorId,
      client,
      now,
    }),
  }),
);
