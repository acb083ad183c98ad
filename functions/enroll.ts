import * as v from 'valibot';
import { bearerBodyEndpoint } from '../adapters/endpoint.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { atMostOne, authenticatorName, optionalProofOf, signInFields } from '../adapters/fields.ts';
import { qrSvg } from '../adapters/qr.ts';
import { createEnrolling } from '../adapters/services.ts';
import { enroll } from '../core/enroll.ts';

const environment = readEnvironment();
const services = createEnrolling(environment);
const { bearer } = services;

const body = v.pipe(
  v.strictObject({ name: v.optional(authenticatorName, 'Authenticator app'), ...signInFields }),
  atMostOne(),
);

/** POST /v1/totp/enroll: a new authenticator's secret, shown once, waiting to be confirmed. */
export const handler = bearerBodyEndpoint(
  { operation: 'enroll', environment, bearer, body },
  async ({ caller, body, now }) => {
    const enrollment = await enroll(services, { caller, name: body.name, proof: optionalProofOf(body), now });
    return { status: 201, body: { ...enrollment, qrSvg: qrSvg(enrollment.otpauthUri) } };
  },
);
