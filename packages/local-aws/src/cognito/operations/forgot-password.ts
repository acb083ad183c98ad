import { AwsError } from '../../aws-error.ts';
import type { Operation } from '../../http/json-protocol.ts';
import { checkSecretHash } from '../client.ts';
import { invalidParameter, notAuthorized, userNotFound } from '../errors.ts';
import { triggerAttributes } from '../flows/attempt.ts';
import { optional, required, strings } from '../input.ts';
import { checkPolicy, setPassword } from '../password.ts';
import type { Pool } from '../pool.ts';
import type { User } from '../users.ts';
import type { Cognito } from './access.ts';
import { checkCode, delivery, newCode, simulatedDelivery } from './codes.ts';

/** Gives the user a code that lives an hour; undefined, and none given, without a verified address. */
export function issueResetCode(pool: Pool, user: User) {
  const route = delivery(user, true);
  if (!route) return undefined;
  user.codes.reset = newCode(pool, 3600);
  pool.users.save(user);
  return route;
}

/** Resetting a forgotten password with a mailed code. */
export function forgotPasswordOperations({ pools }: Cognito): Record<string, Operation> {
  return {
    ForgotPassword: async ({ input }) => {
      const { pool, client } = pools.byClient(required(input, 'ClientId'));
      const name = required(input, 'Username');
      const user = pool.users.find(name);
      checkSecretHash(client, optional(input, 'SecretHash'), [name, ...(user ? [user.username] : [])]);
      if (!user && !client.hidesUsers) throw userNotFound();
      const route = user?.enabled && user.status !== 'FORCE_CHANGE_PASSWORD' && issueResetCode(pool, user);
      if (route) return { CodeDeliveryDetails: route };
      if (client.hidesUsers) return { CodeDeliveryDetails: simulatedDelivery(name) };
      if (!user?.enabled) throw notAuthorized('User is disabled.');
      if (user.status === 'FORCE_CHANGE_PASSWORD') {
        throw notAuthorized('User password cannot be reset in the current state.');
      }
      throw invalidParameter(
        'Cannot reset password for the user as there is no registered/verified email or phone_number',
      );
    },

    ConfirmForgotPassword: async ({ input }) => {
      const { pool, client } = pools.byClient(required(input, 'ClientId'));
      const name = required(input, 'Username');
      const code = required(input, 'ConfirmationCode');
      const password = required(input, 'Password');
      const user = pool.users.find(name);
      checkSecretHash(client, optional(input, 'SecretHash'), [name, ...(user ? [user.username] : [])]);
      if (!user && !client.hidesUsers) throw userNotFound();
      if (!user?.enabled) {
        if (client.hidesUsers) {
          throw new AwsError(
            'CodeMismatchException',
            'Invalid verification code provided, please try again.',
          );
        }
        throw notAuthorized('User is disabled.');
      }
      checkPolicy(pool.settings.password, password);
      checkCode(pool, user.codes.reset, code);
      delete user.codes.reset;
      setPassword(pool, user, password, false);
      pool.users.save(user);
      const metadata = strings(input, 'ClientMetadata');
      await pool.call({
        trigger: 'PostConfirmation',
        source: 'ConfirmForgotPassword',
        username: user.username,
        clientId: client.id,
        request: {
          userAttributes: triggerAttributes(user),
          ...(metadata ? { clientMetadata: metadata } : {}),
        },
        response: {},
      });
      return {};
    },
  };
}
