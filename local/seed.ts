import {
  AdminCreateUserCommand,
  AdminGetUserCommand,
  AdminSetUserPasswordCommand,
  CognitoIdentityProviderClient,
  UserNotFoundException,
} from '@aws-sdk/client-cognito-identity-provider';
import { type Identifiers, mixedCase } from '@countersign/local-aws/cloudformation/identifiers';
import type { PoolDefinition } from '@countersign/local-aws/cognito/server';
import type { Principal } from '@countersign/local-aws/types';

export interface SeededUser {
  username: string;
  password: string;
}

const NAMES = ['ada', 'grace', 'linus'];

/**
 * Makes sure the pool has its three users, each with a password of its own that stays the same over restarts. Users
 * that are there already keep what they have. In a pool whose user names are addresses, they are addresses.
 */
export async function seedUsers(options: {
  pool: PoolDefinition;
  endpoint: string;
  region: string;
  operator: Principal;
  identifiers: Identifiers;
}): Promise<SeededUser[]> {
  const { pool, endpoint, region, operator, identifiers } = options;
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

/** Long, with every class of character a pool may ask for, and nothing a shell or JSON would take for its own. */
function strongPassword(): string {
  const groups = Array.from({ length: 4 }, () => mixedCase(5)());
  return `${groups.join('-')}-Aa1`;
}
