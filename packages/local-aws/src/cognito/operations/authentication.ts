import { AwsError } from '../../aws-error.ts';
import type { Operation } from '../../http/json-protocol.ts';
import type { Client } from '../client.ts';
import { notAuthorized, resourceNotFound } from '../errors.ts';
import { initiateAuth } from '../flows/initiate-auth.ts';
import { respondToAuthChallenge } from '../flows/respond-to-auth-challenge.ts';
import { checkContextData, type Input, optional, required } from '../input.ts';
import type { Pool } from '../pool.ts';
import { type Cognito, guarded } from './access.ts';

function clientOf(pool: Pool, input: Input): Client {
  const id = required(input, 'ClientId');
  const client = pool.clients.get(id);
  if (!client) throw resourceNotFound(`User pool client ${id} does not exist.`);
  return client;
}

/** Operations that sign in, and that revoke a refresh token. */
export function authenticationOperations(cognito: Cognito): Record<string, Operation> {
  const { pools } = cognito;
  return {
    InitiateAuth: async ({ input }) => {
      const { pool, client } = pools.byClient(required(input, 'ClientId'));
      return initiateAuth(pool, client, input, false);
    },
    RespondToAuthChallenge: async ({ input }) => {
      const { pool, client } = pools.byClient(required(input, 'ClientId'));
      return respondToAuthChallenge(pool, client, input);
    },
    AdminInitiateAuth: guarded(cognito, 'AdminInitiateAuth', (pool, input) => {
      checkContextData(input);
      return initiateAuth(pool, clientOf(pool, input), input, true);
    }),
    AdminRespondToAuthChallenge: guarded(cognito, 'AdminRespondToAuthChallenge', (pool, input) => {
      checkContextData(input);
      return respondToAuthChallenge(pool, clientOf(pool, input), input);
    }),
    RevokeToken: async ({ input }) => {
      const token = required(input, 'Token');
      const { pool, client } = pools.byClient(required(input, 'ClientId'));
      if (!client.revocable) {
        throw new AwsError(
          'UnsupportedOperationException',
          'Token revocation is not enabled for this client.',
        );
      }
      if (client.secret !== undefined && optional(input, 'ClientSecret') !== client.secret) {
        throw notAuthorized('Invalid client secret.');
      }
      // A JWS has three parts: an access or ID token, which cannot be revoked.
      if (token.split('.').length !== 5) {
        throw new AwsError('UnsupportedTokenTypeException', 'Unsupported token type');
      }
      const grant = await pool.tokens.openGrant(token);
      if (grant.clientId !== client.id) {
        throw new AwsError('UnauthorizedException', 'The client is not authorized to revoke this token.');
      }
      pool.revocations.add(grant.originJti, grant.expiresAt);
      return {};
    },
  };
}
