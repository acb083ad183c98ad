import { bearerBodyEndpoint } from '../adapters/endpoint.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { createCognitoFirstFactor, sourceOf } from '../adapters/first-factor.ts';
import { createAskPool } from '../adapters/pool-token.ts';
import { optionalProofOf } from '../adapters/proof-of.ts';
import { qrSvg } from '../adapters/qr.ts';
import { createEnrolling } from '../adapters/services.ts';
import { enroll } from '../core/enroll.ts';
import { requests } from './contract/requests.ts';

const environment = readEnvironment();
const services = {
  ...createEnrolling(environment, createAskPool()),
  firstFactor: createCognitoFirstFactor(environment),
};
const { bearer } = services;

/** POST /v1/totp/enroll: a new authenticator's secret, shown once, waiting to be confirmed. */
export const handler = bearerBodyEndpoint(
  { operation: 'enroll', environment, bearer, body: requests.enroll },
  async ({ caller, body, client, event, now }) => {
    const { name, password } = body;
    const evidence = { proof: optionalProofOf(body), password, source: sourceOf(event) };
    const enrollment = await enroll(services, { caller, name, ...evidence, client, now });
    return { status: 201, body: { ...enrollment, qrSvg: qrSvg(enrollment.otpauthUri) } };
  },
);
