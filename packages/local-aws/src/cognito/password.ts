import { randomInt } from 'node:crypto';
import { AwsError } from '../aws-error.ts';
import { invalidParameter, notAuthorized } from './errors.ts';
import type { Pool } from './pool.ts';
import type { PasswordPolicy } from './settings.ts';
import { makeVerifier, matches } from './srp.ts';
import type { User } from './users.ts';

const symbol = /[\^$*.[\]{}()?"!@#%&/\\,><':;|_~`=+\- ]/;

/** Throws `InvalidPasswordException` naming the first rule that the password breaks. */
export function checkPolicy(policy: PasswordPolicy, password: string): void {
  const breach = (text: string) =>
    new AwsError('InvalidPasswordException', `Password did not conform with policy: ${text}`);
  if (password.length < policy.minimumLength) throw breach('Password not long enough');
  if (password.length > 256) throw invalidParameter('Password exceeds 256 characters');
  if (policy.lowercase && !/[a-z]/.test(password)) throw breach('Password must have lowercase characters');
  if (policy.uppercase && !/[A-Z]/.test(password)) throw breach('Password must have uppercase characters');
  if (policy.numbers && !/[0-9]/.test(password)) throw breach('Password must have numeric characters');
  if (policy.symbols && !symbol.test(password)) throw breach('Password must have symbol characters');
  if (/^\s|\s$/.test(password)) throw breach('Password must not have leading or trailing spaces');
}

/** A password that every policy accepts, for AdminCreateUser without one. Nobody gets to see it: there is no mail. */
export function inventPassword(policy: PasswordPolicy): string {
  const alphabet = 'abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';
  let password = 'aA2!';
  while (password.length < Math.max(12, policy.minimumLength))
    password += alphabet[randomInt(alphabet.length)];
  return password;
}

/** Keeps a verifier of the password; the caller saves the user. A temporary one ends after the policy's days. */
export function setPassword(pool: Pool, user: User, password: string, temporary: boolean): void {
  user.password = makeVerifier(pool.shortName, user.username, password);
  user.status = temporary ? 'FORCE_CHANGE_PASSWORD' : 'CONFIRMED';
  if (temporary) {
    user.temporaryPasswordExpiresAt = pool.clock.seconds() + pool.settings.password.temporaryDays * 86_400;
  } else delete user.temporaryPasswordExpiresAt;
}

const maximumLock = 900_000;

/**
 * Judges one attempt at the password, by whatever flow, and counts it. The fifth failure locks for a second and each
 * later one for twice as long, up to 15 minutes; an attempt during a lock is refused unseen, and 15 minutes without
 * one forget the failures. Returns whether it was right; throws
 * `NotAuthorizedException` during a lock.
 */
export function attempt(pool: Pool, user: User, proof: () => boolean): boolean {
  const now = pool.clock.now();
  const { lockout } = user;
  if (now < lockout.until) throw notAuthorized('Password attempts exceeded');
  if (now - Math.max(lockout.lastAt, lockout.until) >= maximumLock) lockout.failures = 0;
  if (proof()) {
    if (lockout.failures > 0) {
      user.lockout = { failures: 0, lastAt: 0, until: 0 };
      pool.users.save(user);
    }
    return true;
  }
  lockout.failures += 1;
  lockout.lastAt = now;
  const beyond = lockout.failures - 5;
  lockout.until = beyond < 0 ? 0 : now + Math.min(maximumLock, 1000 * 2 ** beyond);
  pool.users.save(user);
  return false;
}

/** One attempt at the password in plain. */
export function attemptPassword(pool: Pool, user: User, password: string): boolean {
  return attempt(
    pool,
    user,
    () => user.password !== undefined && matches(user.password, pool.shortName, user.username, password),
  );
}
