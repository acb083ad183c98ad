import {
  AdminUserGlobalSignOutCommand,
  UserNotFoundException,
} from '@aws-sdk/client-cognito-identity-provider';
import { unavailable } from '../core/error.ts';
import type { PoolSessions } from '../core/ports.ts';
import type { Settings } from '../core/settings.ts';
import { cognito as createClient, patience } from './aws.ts';
import type { Environment } from './environment.ts';

/** Goes into the User-Agent of each request, and so into what CloudTrail records of it. */
const APP_ID = 'countersign';

/**
 * Whether Countersign itself has asked for a sign-out: it has ended its own sessions by then, and the one that proved the
 * change must live. Whoever else says so in a User-Agent may call AdminUserGlobalSignOut, and keeps a session from ending.
 *
 * @param userAgent as in CloudTrail's record
 */
export function isOwnSignOut(userAgent: string | undefined): boolean {
  return userAgent?.split(' ').includes(`app/${APP_ID}`) ?? false;
}

/** Those of the deployment's own pool. */
export function poolSessionsOf({
  SETTINGS,
  USER_POOL_ID,
}: Pick<Environment, 'SETTINGS' | 'USER_POOL_ID'>): PoolSessions | undefined {
  return createPoolSessions(SETTINGS)?.(USER_POOL_ID);
}

/** Ends the pool's sessions where the configuration says so; undefined where it does not. */
export function createPoolSessions(settings: Settings): ((userPoolId: string) => PoolSessions) | undefined {
  if (!settings.globalSignOut) return undefined;
  const cognito = createClient({ ...patience, userAgentAppId: APP_ID });
  return (UserPoolId) => ({
    async end({ realm, sub }) {
      if (realm !== settings.realm) return;
      try {
        // Cognito knows its users by `sub` as well as by name.
        await cognito.send(new AdminUserGlobalSignOutCommand({ UserPoolId, Username: sub }));
      } catch (error) {
        // Somebody who is no user of the pool has no sessions there.
        if (!(error instanceof UserNotFoundException)) throw unavailable(error);
      }
    },
  });
}
