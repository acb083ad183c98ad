import { randomUUID } from 'node:crypto';
import { AwsError } from '../../aws-error.ts';
import type { Grant, TokenOverrides } from '../tokens.ts';
import type { User } from '../users.ts';
import { type Answer, type Attempt, triggerAttributes } from './attempt.ts';

type Json = Record<string, unknown>;

const object = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};

const list = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

/** Accepts strings only, as version 1 of the trigger does. */
function strings(claims: Json): Json {
  for (const value of Object.values(claims)) {
    if (typeof value !== 'string') {
      throw new AwsError('InvalidLambdaResponseException', 'Unrecognizable lambda output');
    }
  }
  return claims;
}

/** Asks the pre-token-generation trigger what to change, in the shape of the pool's version of the event. */
async function overrides(attempt: Attempt, user: User, source: string): Promise<TokenOverrides> {
  const second = attempt.pool.settings.tokenTriggerVersion === 2;
  const response = await attempt.pool.call({
    trigger: 'PreTokenGeneration',
    source,
    version: second ? '2' : '1',
    username: user.username,
    clientId: attempt.client.id,
    request: {
      userAttributes: triggerAttributes(user),
      groupConfiguration: { groupsToOverride: [], iamRolesToOverride: [], preferredRole: null },
      ...(second ? { scopes: ['aws.cognito.signin.user.admin'] } : {}),
      ...(attempt.metadata ? { clientMetadata: attempt.metadata } : {}),
    },
    response: second ? { claimsAndScopeOverrideDetails: null } : { claimsOverrideDetails: null },
  });
  const details = object(response?.[second ? 'claimsAndScopeOverrideDetails' : 'claimsOverrideDetails']);
  const id = second ? object(details['idTokenGeneration']) : details;
  const access = second ? object(details['accessTokenGeneration']) : {};
  const groups = object(details['groupOverrideDetails'])['groupsToOverride'];
  const idClaims = object(id['claimsToAddOrOverride']);
  return {
    idClaims: second ? idClaims : strings(idClaims),
    idSuppress: list(id['claimsToSuppress']),
    accessClaims: object(access['claimsToAddOrOverride']),
    accessSuppress: list(access['claimsToSuppress']),
    scopesToAdd: list(access['scopesToAdd']),
    scopesToSuppress: list(access['scopesToSuppress']),
    ...(Array.isArray(groups) ? { groups: groups.map(String) } : {}),
  };
}

/** Issues access and ID token under an existing session, as refreshing does. */
export async function issueUnder(attempt: Attempt, user: User, grant: Grant, source: string): Promise<Json> {
  const changes = await overrides(attempt, user, source);
  const { access, id } = await attempt.pool.tokens.issue(attempt.client, user, grant, changes);
  return {
    AccessToken: access,
    ExpiresIn: attempt.client.accessTokenValidity,
    TokenType: 'Bearer',
    IdToken: id,
  };
}

/** Signs the user in: opens a session and issues its three tokens. */
export async function issue(attempt: Attempt, user: User, source = 'Authentication'): Promise<Answer> {
  const { pool, client } = attempt;
  await pool.call({
    trigger: 'PostAuthentication',
    source: 'Authentication',
    username: user.username,
    clientId: client.id,
    request: {
      userAttributes: triggerAttributes(user),
      newDeviceUsed: false,
      ...(attempt.metadata ? { clientMetadata: attempt.metadata } : {}),
    },
    response: {},
  });
  const authTime = pool.clock.seconds();
  const grant: Grant = {
    sub: user.sub,
    clientId: client.id,
    originJti: randomUUID(),
    authTime,
    expiresAt: authTime + client.refreshTokenValidity,
    signOuts: user.signOuts,
  };
  const tokens = await issueUnder(attempt, user, grant, source);
  return {
    AuthenticationResult: { ...tokens, RefreshToken: await pool.tokens.sealGrant(grant) },
    ChallengeParameters: {},
  };
}
