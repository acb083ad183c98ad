import {
  AdminUserGlobalSignOutCommand,
  CognitoIdentityProviderClient,
  UserNotFoundException,
} from '@aws-sdk/client-cognito-identity-provider';
import { unavailable } from '../core/error.ts';
import type { PoolSessions } from '../core/ports.ts';
import type { Settings } from '../core/settings.ts';
import { patience } from './aws.ts';

/** Ends the pool's sessions where the configuration says so; undefined where it does not. */
export function createPoolSessions(settings: Settings): ((userPoolId: string) => PoolSessions) | undefined {
  if (!settings.globalSignOut) return undefined;
  const cognito = new CognitoIdentityProviderClient(patience);
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
