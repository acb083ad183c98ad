import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

/** The sessions that RevokeToken has ended, until their refresh tokens would have ended anyway. */
export interface Revocations {
  has(originJti: string): boolean;
  /** Kept in the file when it returns. `expiresAt` in seconds. */
  add(originJti: string, expiresAt: number): void;
}

/**
 * One line a revocation, appended: a service that drops every refresh token at once must not rewrite a growing file
 * at every sign-in. What has expired is left out when the file is opened; a line cut off by a kill is ignored.
 */
export function openRevocations(path: string, now: () => number): Revocations {
  const revoked = new Map<string, number>();
  if (existsSync(path)) {
    for (const line of readFileSync(path, 'utf8').split('\n')) {
      const [originJti, expiresAt] = line.split(' ');
      if (originJti && Number(expiresAt) > now()) revoked.set(originJti, Number(expiresAt));
    }
  }
  const lines = [...revoked].map(([jti, expiresAt]) => `${jti} ${expiresAt}\n`);
  writeFileSync(`${path}.new`, lines.join(''), { mode: 0o600 });
  renameSync(`${path}.new`, path);
  return {
    has: (originJti) => revoked.has(originJti),
    add(originJti, expiresAt) {
      if (revoked.has(originJti)) return;
      revoked.set(originJti, expiresAt);
      appendFileSync(path, `${originJti} ${expiresAt}\n`);
    },
  };
}
