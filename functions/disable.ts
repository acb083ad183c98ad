import * as v from 'valibot';
import { bearerBodyEndpoint } from '../adapters/endpoint.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { exactlyOne, id, proofFields, proofOf } from '../adapters/fields.ts';
import { createChanging } from '../adapters/services.ts';
import { disable } from '../core/disable.ts';

const environment = readEnvironment();
const services = createChanging(environment);
const { bearer } = services;

const body = v.pipe(v.strictObject({ authenticatorId: v.optional(id), ...proofFields }), exactlyOne());

/** POST /v1/authenticators/disable: removes one authenticator, or all of them with the backup codes. */
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
