import { AwsError } from '../../aws-error.ts';
import { type Client, checkSecretHash } from '../client.ts';
import { invalidParameter } from '../errors.ts';
import { type Input, required, strings } from '../input.ts';
import type { Pool } from '../pool.ts';
import type { Answer, Attempt } from './attempt.ts';
import { startCustom } from './custom.ts';
import { startPassword } from './password.ts';
import { startRefresh } from './refresh.ts';
import { startSrp } from './srp-challenge.ts';

interface Flow {
  /** The member that the client's ExplicitAuthFlows must hold. */
  allowedBy: string;
  refusal: string;
  start(attempt: Attempt): Promise<Answer>;
  only?: 'admin' | 'public';
}

const adminPassword: Flow = {
  allowedBy: 'ALLOW_ADMIN_USER_PASSWORD_AUTH',
  refusal: 'Auth flow not enabled for this client',
  start: startPassword,
  only: 'admin',
};

const refresh: Flow = {
  allowedBy: 'ALLOW_REFRESH_TOKEN_AUTH',
  refusal: 'Auth flow not enabled for this client',
  start: startRefresh,
};

const flows = new Map<string, Flow>([
  [
    'USER_SRP_AUTH',
    {
      allowedBy: 'ALLOW_USER_SRP_AUTH',
      refusal: 'USER_SRP_AUTH is not enabled for the client.',
      start: startSrp,
    },
  ],
  [
    'USER_PASSWORD_AUTH',
    {
      allowedBy: 'ALLOW_USER_PASSWORD_AUTH',
      refusal: 'USER_PASSWORD_AUTH flow not enabled for this client',
      start: startPassword,
      only: 'public',
    },
  ],
  ['ADMIN_USER_PASSWORD_AUTH', adminPassword],
  ['ADMIN_NO_SRP_AUTH', adminPassword],
  [
    'CUSTOM_AUTH',
    {
      allowedBy: 'ALLOW_CUSTOM_AUTH',
      refusal: 'CUSTOM_AUTH is not enabled for the client.',
      start: startCustom,
    },
  ],
  ['REFRESH_TOKEN_AUTH', refresh],
  ['REFRESH_TOKEN', refresh],
  [
    'USER_AUTH',
    {
      allowedBy: 'ALLOW_USER_AUTH',
      refusal: 'USER_AUTH flow not enabled for this client',
      start: async () => {
        throw new AwsError('UnsupportedOperationException', 'USER_AUTH is not emulated.');
      },
    },
  ],
]);

/** Runs InitiateAuth or, with `admin`, AdminInitiateAuth. Throws `InvalidParameterException` for a flow the client does not allow. */
export async function initiateAuth(
  pool: Pool,
  client: Client,
  input: Input,
  admin: boolean,
): Promise<Answer> {
  const name = required(input, 'AuthFlow');
  const flow = flows.get(name);
  if (!flow) {
    throw invalidParameter(
      `1 validation error detected: Value '${name}' at 'authFlow' failed to satisfy constraint: Member must satisfy enum value set: [${[...flows.keys()].join(', ')}]`,
    );
  }
  if (flow.only && (flow.only === 'admin') !== admin)
    throw invalidParameter('Initiate Auth method not supported.');
  if (!client.flows.has(flow.allowedBy)) throw invalidParameter(flow.refusal);
  const parameters = strings(input, 'AuthParameters') ?? {};
  const username = parameters['USERNAME'] ?? '';
  const validationData = strings(input, 'ClientMetadata');
  checkSecretHash(client, parameters['SECRET_HASH'], [
    username,
    ...(await knownNames(pool, username, parameters)),
  ]);
  return flow.start({ pool, client, parameters, ...(validationData ? { validationData } : {}) });
}

/** The secret hash may be over an alias or the user's own name. When refreshing, it is over the own name. */
async function knownNames(pool: Pool, name: string, parameters: Record<string, string>): Promise<string[]> {
  const refreshToken = parameters['REFRESH_TOKEN'];
  const user = refreshToken
    ? pool.users.bySub((await pool.tokens.openGrant(refreshToken)).sub)
    : pool.users.find(name);
  return user ? [user.username, user.sub] : [];
}
