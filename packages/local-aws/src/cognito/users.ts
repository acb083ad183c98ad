import { randomUUID } from 'node:crypto';
import { AwsError } from '../aws-error.ts';
import type { JsonFile } from '../files/json-file.ts';
import { invalidParameter } from './errors.ts';
import { type PoolSettings, standardAttributes } from './settings.ts';
import type { Verifier } from './srp.ts';

export type UserStatus = 'UNCONFIRMED' | 'CONFIRMED' | 'RESET_REQUIRED' | 'FORCE_CHANGE_PASSWORD';

export interface MailedCode {
  code: string;
  /** Seconds since the epoch. */
  expiresAt: number;
}

/** One user as the pool's file keeps it. Times in seconds, but for the lockout's milliseconds. */
export interface User {
  username: string;
  sub: string;
  attributes: Record<string, string>;
  status: UserStatus;
  enabled: boolean;
  createdAt: number;
  modifiedAt: number;
  password?: Verifier;
  temporaryPasswordExpiresAt?: number;
  lockout: { failures: number; lastAt: number; until: number };
  /** Codes that Cognito would have mailed. No mail leaves this machine. */
  codes: { reset?: MailedCode };
  signOuts: number;
  signedOutAt: number;
}

/** The content of a pool's file. */
export interface PoolState {
  users: User[];
  clientSecrets: Record<string, string>;
}

export interface Users {
  /** Finds a user by user name, by alias or by sub. */
  find(name: string): User | undefined;
  bySub(sub: string): User | undefined;
  all(): readonly User[];
  /** Makes a user; throws `UsernameExistsException`, `AliasExistsException` or `InvalidParameterException`. */
  create(username: string, attributes: Record<string, string>, status: UserStatus): User;
  remove(user: User): void;
  /** Sets attributes; an empty value removes one. Throws as `create` does. */
  setAttributes(user: User, attributes: Record<string, string>): void;
  /** Writes the changes of all users. */
  save(user: User): void;
}

const looksLikeEmail = (name: string) => /^[^@\s]+@[^@\s]+$/.test(name);
const looksLikePhone = (name: string) => /^\+\d{5,15}$/.test(name);

/** The users of a pool. Every change is in the pool's file before the call returns. */
export function createUsers(settings: PoolSettings, file: JsonFile<PoolState>, now: () => number): Users {
  const list = file.value.users;
  const same = settings.caseSensitive
    ? (a: string | undefined, b: string) => a === b
    : (a: string | undefined, b: string) => a?.toLowerCase() === b.toLowerCase();

  /** An alias counts once it is verified; an attribute that is the user name itself counts at once. */
  const goesBy = (user: User, name: string) =>
    settings.usernameAttributes.some((attribute) => same(user.attributes[attribute], name)) ||
    settings.aliasAttributes.some(
      (attribute) =>
        same(user.attributes[attribute], name) &&
        (attribute === 'preferred_username' || user.attributes[`${attribute}_verified`] === 'true'),
    );

  const find = (name: string) =>
    list.find((user) => same(user.username, name)) ??
    list.find((user) => goesBy(user, name)) ??
    list.find((user) => user.sub === name);

  const checkNames = (attributes: Record<string, string>) => {
    for (const name of Object.keys(attributes)) {
      if (name === 'sub') throw invalidParameter('Cannot modify the non-mutable attribute sub');
      if (standardAttributes.has(name) || settings.customAttributes.has(name)) continue;
      throw invalidParameter(
        `Attributes did not conform to the schema: Type for attribute {${name}} could not be determined`,
      );
    }
    if (attributes['email'] && !looksLikeEmail(attributes['email'])) {
      throw invalidParameter('Invalid email address format.');
    }
    if (attributes['phone_number'] && !looksLikePhone(attributes['phone_number'])) {
      throw invalidParameter('Invalid phone number format.');
    }
  };

  const checkFree = (attributes: Record<string, string>, owner: User | undefined) => {
    for (const attribute of [...settings.usernameAttributes, ...settings.aliasAttributes]) {
      const value = attributes[attribute];
      const counts = settings.usernameAttributes.includes(attribute) || attribute === 'preferred_username';
      if (!value || (!counts && attributes[`${attribute}_verified`] !== 'true')) continue;
      const other = list.find((user) => user !== owner && goesBy(user, value));
      if (other) {
        throw new AwsError('AliasExistsException', `An account with the given ${attribute} already exists.`);
      }
    }
  };

  /** If the pool's user names are e-mail addresses, the user's own name is a UUID: the sub. */
  const nameOf = (given: string, sub: string, attributes: Record<string, string>) => {
    if (settings.usernameAttributes.length > 0) {
      const email = settings.usernameAttributes.includes('email') && looksLikeEmail(given);
      const phone = settings.usernameAttributes.includes('phone_number') && looksLikePhone(given);
      if (!email && !phone) {
        const wanted = settings.usernameAttributes.map((name) =>
          name === 'email' ? 'an email' : 'a phone number',
        );
        throw invalidParameter(`Username should be ${wanted.join(' or ')}.`);
      }
      attributes[email ? 'email' : 'phone_number'] ??= given;
      return sub;
    }
    if (settings.aliasAttributes.includes('email') && looksLikeEmail(given)) {
      throw invalidParameter(
        'Username cannot be of email format, since user pool is configured for email alias.',
      );
    }
    return given;
  };

  return {
    find,
    bySub: (sub) => list.find((user) => user.sub === sub),
    all: () => list,
    create(given, attributes, status) {
      if (given.length > 128) {
        throw invalidParameter(
          "1 validation error detected: Value at 'username' failed to satisfy constraint: Member must have length less than or equal to 128",
        );
      }
      checkNames(attributes);
      const sub = randomUUID();
      const kept = { ...attributes };
      const username = nameOf(given, sub, kept);
      if (list.some((user) => same(user.username, username) || goesBy(user, given))) {
        throw new AwsError('UsernameExistsException', 'User account already exists');
      }
      checkFree(kept, undefined);
      const user: User = {
        username,
        sub,
        attributes: { sub, ...kept },
        status,
        enabled: true,
        createdAt: now(),
        modifiedAt: now(),
        lockout: { failures: 0, lastAt: 0, until: 0 },
        codes: {},
        signOuts: 0,
        signedOutAt: 0,
      };
      list.push(user);
      file.save();
      return user;
    },
    remove(user) {
      list.splice(list.indexOf(user), 1);
      file.save();
    },
    setAttributes(user, attributes) {
      checkNames(attributes);
      checkFree({ ...user.attributes, ...attributes }, user);
      for (const [name, value] of Object.entries(attributes)) {
        // A changed address is unverified, unless the call says otherwise.
        if ((name === 'email' || name === 'phone_number') && user.attributes[name] !== value) {
          user.attributes[`${name}_verified`] = attributes[`${name}_verified`] ?? 'false';
        }
        if (value === '') delete user.attributes[name];
        else user.attributes[name] = value;
      }
      user.modifiedAt = now();
      file.save();
    },
    save(user) {
      user.modifiedAt = now();
      file.save();
    },
  };
}
