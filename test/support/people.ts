import { randomBytes } from 'node:crypto';
import {
  AdminCreateUserCommand,
  AdminSetUserPasswordCommand,
  CognitoIdentityProviderClient,
} from '@aws-sdk/client-cognito-identity-provider';
import type { Service } from '../../local/service.ts';
import type { Person } from './client.ts';
import { erase } from './table.ts';

/** Returns a Cognito client with the operator's credentials and the service's time. */
export function cognitoOf({ local, clock }: Pick<Service, 'local' | 'clock'>): CognitoIdentityProviderClient {
  return new CognitoIdentityProviderClient({
    endpoint: local.cognito.endpoint,
    region: local.operator.region,
    credentials: local.operator,
    systemClockOffset: clock.now() - Date.now(),
    // If the clock is minutes ahead, the SDK blames any refusal on its own clock and retries.
    maxAttempts: 1,
  });
}

/**
 * Creates a user in the pool, so that no two tests share one. Countersign records that an administrator set
 * the password. This erases that record, so that the user has none.
 *
 * @param permanent if false, the user must replace the administrator's password at the first sign-in
 */
export async function createPerson(
  service: Pick<Service, 'local' | 'clock'> & { eventsDelivered(sub: string): Promise<void> },
  { permanent = true }: { permanent?: boolean } = {},
): Promise<Person & { sub: string }> {
  const cognito = cognitoOf(service);
  const username = `person-${randomBytes(6).toString('hex')}`;
  const password = `${randomBytes(12).toString('base64url')}-Aa1`;
  const user = { UserPoolId: service.local.cognito.userPoolId, Username: username };
  try {
    const { User } = await cognito.send(
      new AdminCreateUserCommand({
        ...user,
        UserAttributes: [
          { Name: 'email', Value: `${username}@example.com` },
          { Name: 'email_verified', Value: 'true' },
        ],
        TemporaryPassword: password,
        MessageAction: 'SUPPRESS',
      }),
    );
    if (permanent) {
      await cognito.send(new AdminSetUserPasswordCommand({ ...user, Password: password, Permanent: true }));
    }
    const sub = User?.Attributes?.find(({ Name }) => Name === 'sub')?.Value;
    if (!sub) throw new Error('Cognito gave no sub.');
    if (permanent) {
      await service.eventsDelivered(sub);
      await erase(service, `USER#users#${sub}`);
    }
    return { username, password, sub };
  } finally {
    cognito.destroy();
  }
}
