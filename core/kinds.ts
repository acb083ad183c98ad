import type { Authenticator, PendingAuthenticator } from './factor.ts';
import type { Keyring } from './ports.ts';
import { totp } from './totp/kind.ts';
import type { User } from './user.ts';

/** The functions for an authenticator of any kind. A new kind does not compile until each has a case for it. */

/** Seals again under the active key what is not sealed so. Returns the same object if nothing changes. */
export function reseal(
  keyring: Keyring,
  user: User,
  one: Authenticator,
  now: number,
): Promise<Authenticator> {
  switch (one.kind) {
    case 'totp':
      return totp.reseal(keyring, user, one, now);
  }
}

/** `reseal` for an enrollment that waits to be confirmed. */
export function resealPending(
  keyring: Keyring,
  user: User,
  pending: PendingAuthenticator,
  context: { generation: string; now: number },
): Promise<PendingAuthenticator> {
  switch (pending.kind) {
    case 'totp':
      return totp.resealPending(keyring, user, pending, context);
  }
}

/** The ids of the data keys without which it is lost. */
export function dataKeysOf(one: Authenticator | PendingAuthenticator): string[] {
  switch (one.kind) {
    case 'totp':
      return totp.dataKeys(one);
  }
}
