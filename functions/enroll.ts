import * as v from 'valibot';
import { bearerBodyEndpoint } from '../adapters/endpoint.ts';
import { readEnvironment } from '../adapters/environment.ts';
import {
  atMostOne,
  authenticatorName,
  credential,
  optionalProofOf,
  signInFields,
} from '../adapters/fields.ts';
import { createCognitoFirstFactor, sourceOf } from '../adapters/first-factor.ts';
import { createAskPool } from '../adapters/pool-token.ts';
import { qrSvg } from '../adapters/qr.ts';
import { createEnrolling } from '../adapters/services.ts';
import { enroll } from '../core/enroll.ts';

const environment = readEnvironment();
const services = {
  ...createEnrolling(environment, createAskPool()),
  firstFactor: createCognitoFirstFactor(environment),
};
const { bearer } = services;

const body = v.pipe(
  v.strictObject({
    name: v.optional(authenticatorName, 'Authenticator app'),
    password: v.optional(credential(256)),
    ...signInFields,
  }),
  atMostOne(),
);

/** POST /v1/totp/enroll: a new authenticator's secret, shown once, waiting to be confirmed. */
export const handler = bearerBodyEndpoint(
  { operation: 'enroll', environment, bearer, body },
  async ({ caller, body, client, event, now }) => {
    const { name, password } = body;
    const evidence = { proof: optionalProofOf(body), password, source: sourceOf(event) };
    const enrollment = await enroll(services, { caller, name, ...evidence, client, now });
    return { status: 201, body: { ...enrollment, qrSvg: qrSvg(enrollment.otpauthUri) } };
  },
);
