import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

/** The sessions that RevokeToken has ended, until their refresh tokens expire. */
export interface Revocations {
  has(originJti: string): boolean;
  /** Adds one. It is in the file when the call returns. `expiresAt` is in seconds. */
  add(originJti: string, expiresAt: number): void;
}

/**
 * Opens the file of revocations, and drops the expired ones. Each revocation appends one line, so that a service that
 * revokes at every sign-in does not rewrite a growing file. A line that a kill cut off is ignored.
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
