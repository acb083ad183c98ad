import { createHash } from 'node:crypto';
import {
  AdminUserGlobalSignOutCommand,
  UserNotFoundException,
} from '@aws-sdk/client-cognito-identity-provider';
import { unavailable } from '../core/error.ts';
import type { PoolSessions } from '../core/ports.ts';
import { cognito as createClient, requestTimeouts } from './aws.ts';
import type { Environment } from './environment.ts';

/**
 * Returns the app id for the User-Agent of each request, which CloudTrail records. Each deployment has its
 * own id, from its table's name, because a sign-out by another deployment at the same pool is not its own.
 * The SDK allows 50 characters.
 */
export function appIdOf(tableName: string): string {
  return `countersign-${createHash('sha256').update(tableName).digest('hex').slice(0, 16)}`;
}

/**
 * Checks whether this deployment itself requested a sign-out. If so, it has ended its own sessions already,
 * and the session that proved the change must live. A caller who forges the User-Agent keeps a session from
 * ending, and needs the permission for AdminUserGlobalSignOut.
 *
 * @param recorded CloudTrail's record
 */
export function isOwnSignOut(
  recorded: { eventName?: string | undefined; userAgent?: string | undefined },
  tableName: string,
): boolean {
  const { eventName, userAgent } = recorded;
  if (eventName !== 'AdminUserGlobalSignOut') return false;
  return userAgent?.split(' ').includes(`app/${appIdOf(tableName)}`) ?? false;
}

/** Returns a function from a pool's id to its sessions; undefined if the configuration does not end them. */
export function createPoolSessions({
  SETTINGS: { globalSignOut, realm },
  TABLE_NAME,
}: Pick<Environment, 'SETTINGS' | 'TABLE_NAME'>): ((userPoolId: string) => PoolSessions) | undefined {
  if (!globalSignOut) return undefined;
  const cognito = createClient({ ...requestTimeouts, userAgentAppId: appIdOf(TABLE_NAME) });
  return (UserPoolId) => ({
    async end(user) {
      if (user.realm !== realm) return false;
      try {
        // Cognito accepts a `sub` as a user name.
        await cognito.send(new AdminUserGlobalSignOutCommand({ UserPoolId, Username: user.sub }));
      } catch (error) {
        // A user whom the pool does not know has no sessions there.
        if (!(error instanceof UserNotFoundException)) throw unavailable(error);
      }
      return true;
    },
  });
}
