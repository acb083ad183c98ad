import { AwsError } from '../../aws-error.ts';
import type { Operation } from '../../http/json-protocol.ts';
import { type Client, checkSecretHash, checkWritable } from '../client.ts';
import { invalidParameter, notAuthorized, userNotFound } from '../errors.ts';
import { triggerAttributes } from '../flows/attempt.ts';
import { attributeList, type Input, optional, required, strings } from '../input.ts';
import { checkPolicy, setPassword } from '../password.ts';
import type { Pool } from '../pool.ts';
import type { User } from '../users.ts';
import { type Cognito, guardedUser } from './access.ts';
import { checkCode, delivery, newCode, simulatedDelivery } from './codes.ts';

const day = 86_400;

/** Ends a sign-up, and tells the post-confirmation trigger. */
async function confirm(
  pool: Pool,
  user: User,
  clientId: string,
  metadata?: Record<string, string>,
): Promise<void> {
  user.status = 'CONFIRMED';
  delete user.codes.confirm;
  pool.users.save(user);
  await pool.call({
    trigger: 'PostConfirmation',
    source: 'ConfirmSignUp',
    username: user.username,
    clientId,
    request: { userAttributes: triggerAttributes(user), ...(metadata ? { clientMetadata: metadata } : {}) },
    response: {},
  });
}

function checkUnconfirmed(user: User): void {
  if (user.status !== 'UNCONFIRMED') {
    throw notAuthorized(`User cannot be confirmed. Current status is ${user.status}`);
  }
}

function checkRequired(pool: Pool, attributes: Record<string, string>): void {
  for (const name of pool.settings.requiredAttributes) {
    if (!attributes[name]) {
      throw invalidParameter(
        `Attributes did not conform to the schema: ${name}: The attribute ${name} is required\n`,
      );
    }
  }
}

async function signUp(pool: Pool, client: Client, input: Input) {
  const username = required(input, 'Username');
  const password = required(input, 'Password');
  checkSecretHash(client, optional(input, 'SecretHash'), [username]);
  if (pool.settings.adminCreateOnly) throw notAuthorized('SignUp is not permitted for this user pool');
  checkPolicy(pool.settings.password, password);
  const attributes = attributeList(input, 'UserAttributes');
  checkWritable(client, attributes);
  const byName = pool.settings.usernameAttributes[0];
  checkRequired(pool, byName ? { [byName]: username, ...attributes } : attributes);
  if (pool.users.find(username)) throw new AwsError('UsernameExistsException', 'User already exists');
  const metadata = strings(input, 'ClientMetadata');
  const decision = await pool.call({
    trigger: 'PreSignUp',
    source: 'SignUp',
    username,
    clientId: client.id,
    request: {
      userAttributes: attributes,
      validationData: attributeList(input, 'ValidationData'),
      ...(metadata ? { clientMetadata: metadata } : {}),
    },
    response: { autoConfirmUser: false, autoVerifyEmail: false, autoVerifyPhone: false },
  });
  const verified = {
    ...(decision?.['autoVerifyEmail'] === true ? { email_verified: 'true' } : {}),
    ...(decision?.['autoVerifyPhone'] === true ? { phone_number_verified: 'true' } : {}),
  };
  const user = pool.users.create(username, { ...attributes, ...verified }, 'UNCONFIRMED');
  setPassword(pool, user, password, false);
  user.status = 'UNCONFIRMED';
  const route = pool.settings.autoVerified.length > 0 ? delivery(user, false) : undefined;
  if (route) user.codes.confirm = newCode(pool, day);
  pool.users.save(user);
  const confirmed = decision?.['autoConfirmUser'] === true;
  if (confirmed) await confirm(pool, user, client.id, metadata);
  return {
    UserConfirmed: confirmed,
    UserSub: user.sub,
    ...(route && !confirmed ? { CodeDeliveryDetails: route } : {}),
  };
}

/** Signing up, and confirming it with the code that is kept with the user, or by an administrator. */
export function signUpOperations(cognito: Cognito): Record<string, Operation> {
  const { pools } = cognito;
  return {
    SignUp: async ({ input }) => {
      const { pool, client } = pools.byClient(required(input, 'ClientId'));
      return signUp(pool, client, input);
    },
    ConfirmSignUp: async ({ input }) => {
      const { pool, client } = pools.byClient(required(input, 'ClientId'));
      const name = required(input, 'Username');
      const code = required(input, 'ConfirmationCode');
      const user = pool.users.find(name);
      checkSecretHash(client, optional(input, 'SecretHash'), [name, ...(user ? [user.username] : [])]);
      if (!user && !client.hidesUsers) throw userNotFound();
      if (user) checkUnconfirmed(user);
      checkCode(pool, user?.codes.confirm, code);
      if (!user) throw userNotFound();
      // The code proved the address it went to.
      const proved = delivery(user, false)?.AttributeName;
      if (proved) pool.users.setAttributes(user, { [`${proved}_verified`]: 'true' });
      await confirm(pool, user, client.id, strings(input, 'ClientMetadata'));
      return {};
    },
    ResendConfirmationCode: async ({ input }) => {
      const { pool, client } = pools.byClient(required(input, 'ClientId'));
      const name = required(input, 'Username');
      const user = pool.users.find(name);
      checkSecretHash(client, optional(input, 'SecretHash'), [name, ...(user ? [user.username] : [])]);
      if (!user && !client.hidesUsers) throw userNotFound();
      if (!user?.enabled) return { CodeDeliveryDetails: simulatedDelivery(name) };
      if (user.status !== 'UNCONFIRMED') throw invalidParameter('User is already confirmed.');
      const route = delivery(user, false);
      if (!route) throw invalidParameter('Cannot resend codes. Auto verification not turned on.');
      user.codes.confirm = newCode(pool, day);
      pool.users.save(user);
      return { CodeDeliveryDetails: route };
    },
    AdminConfirmSignUp: guardedUser(cognito, 'AdminConfirmSignUp', async (pool, user, input) => {
      checkUnconfirmed(user);
      await confirm(pool, user, 'CLIENT_ID_NOT_APPLICABLE', strings(input, 'ClientMetadata'));
    }),
  };
}
