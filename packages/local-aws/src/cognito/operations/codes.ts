import { randomInt } from 'node:crypto';
import { AwsError } from '../../aws-error.ts';
import type { Pool } from '../pool.ts';
import type { MailedCode, User } from '../users.ts';

/** Makes a code that Cognito would mail or text. It is kept with the user instead. */
export function newCode(pool: Pool, lifetimeSeconds: number): MailedCode {
  return {
    code: String(randomInt(1_000_000)).padStart(6, '0'),
    expiresAt: pool.clock.seconds() + lifetimeSeconds,
  };
}

/** Throws `ExpiredCodeException` if no code is valid, `CodeMismatchException` if it is another one. */
export function checkCode(pool: Pool, kept: MailedCode | undefined, given: string): void {
  if (!kept || kept.expiresAt <= pool.clock.seconds()) {
    throw new AwsError('ExpiredCodeException', 'Invalid code provided, please request a code again.');
  }
  if (kept.code !== given) {
    throw new AwsError('CodeMismatchException', 'Invalid verification code provided, please try again.');
  }
}

const masked = (text: string) => `${text.charAt(0)}***`;

/** The delivery details of a code to this user; undefined without an address. */
export function delivery(user: User, verifiedOnly: boolean) {
  const { email, phone_number: phone } = user.attributes;
  const usable = (name: string) => !verifiedOnly || user.attributes[`${name}_verified`] === 'true';
  if (email && usable('email')) {
    const [name = '', domain = ''] = email.split('@');
    return {
      Destination: `${masked(name)}@${masked(domain)}`,
      DeliveryMedium: 'EMAIL',
      AttributeName: 'email',
    };
  }
  if (phone && usable('phone_number')) {
    return {
      Destination: `+*******${phone.slice(-4)}`,
      DeliveryMedium: 'SMS',
      AttributeName: 'phone_number',
    };
  }
  return undefined;
}

/** Delivery details for a name that nobody has. */
export function simulatedDelivery(name: string) {
  const [local = '', domain = ''] = name.split('@');
  const shown = domain ? `${masked(local)}@${masked(domain)}` : `${masked(name)}@${masked(name.slice(1))}`;
  return { Destination: shown, DeliveryMedium: 'EMAIL', AttributeName: 'email' };
}
