import {
  AuthenticationDetails,
  CognitoUser,
  CognitoUserPool,
  type CognitoUserSession,
  type IAuthenticationCallback,
} from 'amazon-cognito-identity-js';
import { poolId } from './cognito.ts';

/** The client library's last callback. */
export type Outcome =
  | { kind: 'session'; session: CognitoUserSession; user: CognitoUser }
  | { kind: 'custom'; parameters: Record<string, string>; user: CognitoUser }
  | { kind: 'totp' | 'newPassword'; user: CognitoUser };

function memory() {
  const items = new Map<string, string>();
  return {
    setItem: (key: string, value: string) => void items.set(key, value),
    getItem: (key: string) => items.get(key) ?? null,
    removeItem: (key: string) => void items.delete(key),
    clear: () => items.clear(),
  };
}

/** A user of the unmodified library, pointed at the endpoint. */
export function libraryUser(
  endpoint: string,
  username: string,
  clientId = 'app',
  UserPoolId = poolId,
): CognitoUser {
  const Storage = memory();
  const pool = new CognitoUserPool({ UserPoolId, ClientId: clientId, endpoint, Storage });
  return new CognitoUser({ Username: username, Pool: pool, Storage });
}

/** Turns the library's callbacks into a promise; rejects with its error. */
export function outcome(user: CognitoUser, start: (callbacks: IAuthenticationCallback) => void) {
  return new Promise<Outcome>((resolve, reject) => {
    start({
      onSuccess: (session) => resolve({ kind: 'session', session, user }),
      onFailure: reject,
      customChallenge: (parameters) => resolve({ kind: 'custom', parameters, user }),
      totpRequired: () => resolve({ kind: 'totp', user }),
      newPasswordRequired: () => resolve({ kind: 'newPassword', user }),
    });
  });
}

/** Signs in with SRP, by the plain flow or by CUSTOM_AUTH. */
export function signInWithSrp(
  user: CognitoUser,
  password: string,
  flow: 'USER_SRP_AUTH' | 'CUSTOM_AUTH' = 'USER_SRP_AUTH',
): Promise<Outcome> {
  user.setAuthenticationFlowType(flow);
  const details = new AuthenticationDetails({ Username: user.getUsername(), Password: password });
  return outcome(user, (callbacks) => user.authenticateUser(details, callbacks));
}
