import { AwsError } from '../../aws-error.ts';
import type { Operation } from '../../http/json-protocol.ts';
import { incorrect, invalidParameter } from '../errors.ts';
import { type Input, optional, required } from '../input.ts';
import type { Pool, Pools } from '../pool.ts';
import type { Session, Step } from '../sessions.ts';
import { acceptCode, newSecret } from '../software-token.ts';
import type { User } from '../users.ts';
import { type Cognito, guardedUser, holder } from './access.ts';

/** Turns the authenticator app on or off as this user's second factor; throws where none has been set up. */
function preferSoftwareToken(user: User, input: Input): void {
  const settings = input['SoftwareTokenMfaSettings'] as
    | { Enabled?: unknown; PreferredMfa?: unknown }
    | undefined;
  if (input['SMSMfaSettings'] !== undefined || input['EmailMfaSettings'] !== undefined) {
    throw new AwsError('UnsupportedOperationException', 'Only software tokens are emulated.');
  }
  if (!settings) return;
  const enabled = settings.Enabled === true;
  const preferred = settings.PreferredMfa === true;
  if (preferred && !enabled) throw invalidParameter('Preferred MFA has to be enabled.');
  const token = user.softwareToken;
  if (!token?.verified) {
    if (!enabled) return;
    throw invalidParameter('User has not verified software token mfa');
  }
  token.enabled = enabled;
  token.preferred = preferred;
}

type Setup = Extract<Step, { challenge: 'MFA_SETUP' }>;

/** Who sets an app up: a signed-in user, or one whose sign-in waits for it. */
async function settingUp(pools: Pools, input: Input): Promise<{ pool: Pool; user: User; session?: Session }> {
  const id = optional(input, 'Session');
  if (id === undefined) return holder(pools, input);
  const pool = pools.bySession(id);
  const session = pool.sessions.take(id, undefined, 'MFA_SETUP');
  const user = session.sub === undefined ? undefined : pool.users.bySub(session.sub);
  if (!user) throw incorrect();
  return { pool, user, session };
}

/** The next session of a sign-in that waits, as a field of the answer. */
function next(pool: Pool, session: Session | undefined, verified: boolean): { Session?: string } {
  if (!session) return {};
  const seconds = pool.clients.get(session.clientId)?.sessionValidity ?? 180;
  const step: Setup = { ...(session.step as Setup), verified };
  return { Session: pool.sessions.open({ ...session, step }, seconds).id };
}

/** The pool's own second factor: setting up an authenticator app, and whether it is asked for. */
export function mfaOperations(cognito: Cognito): Record<string, Operation> {
  const { pools } = cognito;
  return {
    AssociateSoftwareToken: async ({ input }) => {
      const { pool, user, session } = await settingUp(pools, input);
      if (pool.settings.mfa === 'OFF') {
        throw new AwsError(
          'SoftwareTokenMFANotFoundException',
          'Software Token MFA has not been enabled by the userPool.',
        );
      }
      const { secret, secretCode } = newSecret();
      user.softwareToken = { secret, verified: false, enabled: false, preferred: false, lastStep: 0 };
      pool.users.save(user);
      return { SecretCode: secretCode, ...next(pool, session, false) };
    },
    VerifySoftwareToken: async ({ input }) => {
      const code = required(input, 'UserCode');
      const { pool, user, session } = await settingUp(pools, input);
      if (!acceptCode(user, code, pool.clock.seconds()) || !user.softwareToken) {
        if (session) pool.sessions.putBack(session);
        throw new AwsError('EnableSoftwareTokenMFAException', 'Code mismatch');
      }
      user.softwareToken.verified = true;
      pool.users.save(user);
      return { Status: 'SUCCESS', ...next(pool, session, true) };
    },
    SetUserMFAPreference: async ({ input }) => {
      const { pool, user } = await holder(pools, input);
      preferSoftwareToken(user, input);
      pool.users.save(user);
      return {};
    },
    AdminSetUserMFAPreference: guardedUser(cognito, 'AdminSetUserMFAPreference', (pool, user, input) => {
      preferSoftwareToken(user, input);
      pool.users.save(user);
    }),
  };
}
