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
 * Goes into the User-Agent of each request, and so into what CloudTrail records of it. Of each deployment, by its table:
 * another one's sign-out at the same pool is not its own. The SDK allows 50 characters.
 */
export function appIdOf(tableName: string): string {
  return `countersign-${createHash('sha256').update(tableName).digest('hex').slice(0, 16)}`;
}

/**
 * Whether this deployment itself has asked for a sign-out: it has ended its own sessions by then, and the one that proved
 * the change must live. Whoever else says so in a User-Agent may call AdminUserGlobalSignOut, and keeps a session from ending.
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

/** By pool, ends its sessions where the configuration says so; undefined where it does not. */
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
        // Cognito knows its users by `sub` as well as by name.
        await cognito.send(new AdminUserGlobalSignOutCommand({ UserPoolId, Username: user.sub }));
      } catch (error) {
        // Somebody who is no user of the pool has no sessions there.
        if (!(error instanceof UserNotFoundException)) throw unavailable(error);
      }
      return true;
    },
  });
}
