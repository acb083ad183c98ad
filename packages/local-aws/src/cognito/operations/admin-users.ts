import { AwsError } from '../../aws-error.ts';
import type { Operation } from '../../http/json-protocol.ts';
import { invalidParameter } from '../errors.ts';
import { attributeList, flag, type Input, optional, required } from '../input.ts';
import { checkPolicy, inventPassword, setPassword } from '../password.ts';
import type { Pool } from '../pool.ts';
import type { User } from '../users.ts';
import { type Cognito, guarded, guardedUser } from './access.ts';
import { issueResetCode } from './forgot-password.ts';
import { adminView, userView } from './views.ts';

/** Makes a user with a temporary password. */
async function create(pool: Pool, input: Input) {
  const username = required(input, 'Username');
  const policy = pool.settings.password;
  const password = optional(input, 'TemporaryPassword') ?? inventPassword(policy);
  checkPolicy(policy, password);
  const attributes = attributeList(input, 'UserAttributes');
  if (optional(input, 'MessageAction') === 'RESEND') {
    throw new AwsError('UnsupportedOperationException', 'MessageAction RESEND is not emulated.');
  }
  await pool.call({
    trigger: 'PreSignUp',
    source: 'AdminCreateUser',
    username,
    clientId: 'CLIENT_ID_NOT_APPLICABLE',
    request: { userAttributes: attributes, validationData: attributeList(input, 'ValidationData') },
    response: { autoConfirmUser: false, autoVerifyEmail: false, autoVerifyPhone: false },
  });
  const user = pool.users.create(username, attributes, 'FORCE_CHANGE_PASSWORD');
  setPassword(pool, user, password, true);
  pool.users.save(user);
  return { User: userView(user) };
}

/** Ends every session of the user: refresh tokens by their count of sign-outs, access tokens by their second. */
export function signOutEverywhere(pool: Pool, user: User): void {
  user.signOuts += 1;
  user.signedOutAt = pool.clock.seconds();
  pool.users.save(user);
}

/** Disabling "revokes all access tokens for the user" (API reference): enabling again does not bring them back. */
function setEnabled(enabled: boolean) {
  return (pool: Pool, user: User) => {
    user.enabled = enabled;
    if (!enabled) user.signedOutAt = pool.clock.seconds();
    pool.users.save(user);
    return {};
  };
}

/** Operations of an administrator on users. */
export function adminUserOperations(cognito: Cognito): Record<string, Operation> {
  return {
    AdminCreateUser: guarded(cognito, 'AdminCreateUser', create),
    AdminGetUser: guardedUser(cognito, 'AdminGetUser', (_, user) => adminView(user)),
    AdminDeleteUser: guardedUser(cognito, 'AdminDeleteUser', (pool, user) => pool.users.remove(user)),
    AdminDisableUser: guardedUser(cognito, 'AdminDisableUser', setEnabled(false)),
    AdminEnableUser: guardedUser(cognito, 'AdminEnableUser', setEnabled(true)),
    AdminSetUserPassword: guardedUser(cognito, 'AdminSetUserPassword', (pool, user, input) => {
      const password = required(input, 'Password');
      checkPolicy(pool.settings.password, password);
      setPassword(pool, user, password, !flag(input, 'Permanent'));
      pool.users.save(user);
    }),
    AdminResetUserPassword: guardedUser(cognito, 'AdminResetUserPassword', (pool, user) => {
      if (!issueResetCode(pool, user)) {
        throw invalidParameter(
          'Cannot reset password for the user as there is no registered/verified email or phone_number',
        );
      }
      user.status = 'RESET_REQUIRED';
      pool.users.save(user);
    }),
    AdminUserGlobalSignOut: guardedUser(cognito, 'AdminUserGlobalSignOut', signOutEverywhere),
    AdminUpdateUserAttributes: guardedUser(cognito, 'AdminUpdateUserAttributes', (pool, user, input) =>
      pool.users.setAttributes(user, attributeList(input, 'UserAttributes')),
    ),
  };
}
