import { randomBytes } from 'node:crypto';
import {
  AdminCreateUserCommand,
  AdminGetUserCommand,
  AdminSetUserPasswordCommand,
  CognitoIdentityProviderClient,
  UserNotFoundException,
} from '@aws-sdk/client-cognito-identity-provider';
import type { Aws } from '@countersign/local-aws';
import type { Principal } from '@countersign/local-aws/iam';

export interface SeededUser {
  username: string;
  password: string;
}

const NAMES = ['ada', 'grace', 'linus'];

/**
 * Makes the pool's three users, each with a password that stays the same over restarts. Existing users keep what they
 * have. In a pool whose user names are e-mail addresses, their names are addresses.
 */
export async function seedUsers(options: {
  pool: Aws['pools'][number];
  endpoint: string;
  deployment: Aws['deployment'];
  operator: Principal;
}): Promise<SeededUser[]> {
  const { pool, endpoint, operator } = options;
  const { region, identifiers } = options.deployment;
  const { accessKeyId, secretAccessKey } = operator;
  const client = new CognitoIdentityProviderClient({
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
  });
  const byAddress = ((pool.properties['UsernameAttributes'] ?? []) as string[]).includes('email');

  async function seed(name: string): Promise<SeededUser> {
    const email = `${name}@example.com`;
    const username = byAddress ? email : name;
    const password = identifiers.get(`password/${name}`, strongPassword);
    const user = { UserPoolId: pool.id, Username: username };
    const status = await client.send(new AdminGetUserCommand(user)).then(
      ({ UserStatus }) => UserStatus,
      (error: unknown) => {
        if (error instanceof UserNotFoundException) return undefined;
        throw error;
      },
    );
    if (status === undefined) {
      const UserAttributes = [
        { Name: 'email', Value: email },
        { Name: 'email_verified', Value: 'true' },
      ];
      await client.send(new AdminCreateUserCommand({ ...user, UserAttributes, MessageAction: 'SUPPRESS' }));
    }
    if (status !== 'CONFIRMED') {
      await client.send(new AdminSetUserPasswordCommand({ ...user, Password: password, Permanent: true }));
    }
    return { username, password };
  }

  try {
    const users: SeededUser[] = [];
    for (const name of NAMES) users.push(await seed(name));
    return users;
  } finally {
    client.destroy();
  }
}

/** A password with every class of character a pool may ask for, and none that a shell or JSON would interpret. */
function strongPassword(): string {
  return `Aa1-${randomBytes(12).toString('hex')}`;
}
