import { randomBytes } from 'node:crypto';

/** Returns random bytes of the operating system. All randomness of the domain comes from here. */
export function random(bytes: number): Buffer {
  return randomBytes(bytes);
}

/** 96 random bits as 16 base64url characters: ids that must neither collide nor be guessed. */
export function randomId(): string {
  return random(12).toString('base64url');
}

/** Whether a text has the form of `randomId`; inherited names such as `__proto__` do not. */
export function isRandomId(text: string): boolean {
  return /^[\w-]{16}$/.test(text);
}
