import { notAuthorized } from '../errors.ts';
import { type Answer, type Attempt, parameter } from './attempt.ts';
import { issueUnder } from './issue.ts';

/** Runs REFRESH_TOKEN_AUTH: issues tokens under the same session. `auth_time` and `origin_jti` stay. */
export async function startRefresh(attempt: Attempt): Promise<Answer> {
  const { pool, client } = attempt;
  const grant = await pool.tokens.openGrant(parameter(attempt, 'REFRESH_TOKEN'));
  if (grant.clientId !== client.id) throw notAuthorized('Invalid Refresh Token');
  if (grant.expiresAt <= pool.clock.seconds()) throw notAuthorized('Refresh Token has expired');
  const user = pool.users.bySub(grant.sub);
  if (!user) throw notAuthorized('Invalid Refresh Token');
  if (pool.revocations.has(grant.originJti) || grant.signOuts !== user.signOuts) {
    throw notAuthorized('Refresh Token has been revoked');
  }
  if (!user.enabled) throw notAuthorized('User is disabled.');
  return {
    AuthenticationResult: await issueUnder(attempt, user, grant, 'RefreshTokens'),
    ChallengeParameters: {},
  };
}
