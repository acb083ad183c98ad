import { unavailable } from '../error.ts';
import type { KindProven, KindServices } from '../kind.ts';
import type { User } from '../user.ts';
import { matchingSteps } from './algorithm.ts';
import type { Totp } from './data.ts';
import { inForce, isOutdated, open, seal } from './sealed.ts';

/**
 * Checks a code against every authenticator of a user, and spends its time steps.
 *
 * @param code as `typedCode` returns it
 * @returns undefined if the code is wrong or was used before: the two look alike from here on
 */
export async function prove(
  { keyring, settings }: KindServices,
  user: User,
  authenticators: Totp[],
  code: string,
  now: number,
): Promise<KindProven | undefined> {
  const current = await keyring.current('data', now);
  const secrets = await Promise.all(
    authenticators.map(async (authenticator) => {
      const key = await keyring.key('data', authenticator.secret.keyId, now);
      return key && open(authenticator.secret, user, inForce(authenticator), key);
    }),
  );
  // One unreadable authenticator does not block the others; with none readable nothing can be compared.
  if (secrets.every((secret) => secret === undefined)) throw unavailable();

  const matches = authenticators.map((authenticator, index) => {
    const secret = secrets[index];
    return secret ? matchingSteps(code, secret, authenticator, settings.totp.window, now) : [];
  });
  if (matches.every((steps) => steps.length === 0)) return undefined;

  // RFC 6238 §5.2: a code is accepted once. A step at or before the last accepted one is spent, over all paths.
  const spent = authenticators.some(({ lastStep }, index) =>
    (matches[index] ?? []).some((step) => step <= lastStep),
  );
  if (spent) return undefined;

  const after: KindProven['after'] = new Map();
  const used: string[] = [];
  for (const [index, authenticator] of authenticators.entries()) {
    const secret = secrets[index];
    const old = isOutdated(authenticator.secret, current);
    // Keys rotate by use: this write is made anyway.
    const sealed = secret && old ? seal(secret, user, inForce(authenticator), current) : authenticator.secret;
    const highest = matches[index]?.at(-1);
    const spends = highest === undefined ? {} : { lastStep: highest, lastUsedAt: now };
    after.set(authenticator, { ...authenticator, secret: sealed, ...spends });
    if (highest !== undefined) used.push(authenticator.id);
  }
  return { after, used };
}
