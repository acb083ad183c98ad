import { AwsError } from '../../aws-error.ts';
import type { Operation } from '../../http/json-protocol.ts';
import { type Client, checkSecretHash, checkWritable } from '../client.ts';
import { invalidParameter, notAuthorized } from '../errors.ts';
import { triggerAttributes } from '../flows/attempt.ts';
import { attributeList, type Input, optional, required, strings } from '../input.ts';
import { checkPolicy, setPassword } from '../password.ts';
import type { Pool } from '../pool.ts';
import type { User } from '../users.ts';
import type { Cognito } from './access.ts';
import { delivery } from './codes.ts';

/** Confirms a sign-up, and calls the post-confirmation trigger. */
async function confirm(
  pool: Pool,
  user: User,
  clientId: string,
  metadata?: Record<string, string>,
): Promise<void> {
  user.status = 'CONFIRMED';
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
  pool.users.save(user);
  const confirmed = decision?.['autoConfirmUser'] === true;
  if (confirmed) await confirm(pool, user, client.id, metadata);
  return {
    UserConfirmed: confirmed,
    UserSub: user.sub,
    ...(route && !confirmed ? { CodeDeliveryDetails: route } : {}),
  };
}

/** Signs up. Confirming it by a code is not emulated: only the pre-sign-up trigger confirms. */
export function signUpOperations({ pools }: Cognito): Record<string, Operation> {
  return {
    SignUp: async ({ input }) => {
      const { pool, client } = pools.byClient(required(input, 'ClientId'));
      return signUp(pool, client, input);
    },
  };
}
