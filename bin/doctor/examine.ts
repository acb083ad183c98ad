import { clientFindings } from './client-findings.ts';
import type { Finding } from './finding.ts';
import type { PoolFacts } from './read.ts';
import { triggerFindings } from './trigger-findings.ts';

/**
 * Returns all findings about a pool: its own settings first, then its triggers, then its app clients.
 *
 * @param loginClients ids of more login clients: they only check passwords, and nobody gets their tokens
 */
export function examine(facts: PoolFacts, loginClients: readonly string[] = []): Finding[] {
  return [...poolFindings(facts), ...triggerFindings(facts), ...clientFindings(facts, loginClients)];
}

/** Returns the command that turns off the pool's own MFA, after a warning about the cost. */
export function turnMfaOff(id: string, region: string): string {
  return `Once it is off, users who have not enrolled here have nothing but their password (docs/cognito.md, "A pool that uses Cognito's MFA today"): aws cognito-idp set-user-pool-mfa-config --region ${region} --user-pool-id ${id} --mfa-configuration OFF`;
}

function poolFindings({ id, region, pool, mfa }: PoolFacts): Finding[] {
  const findings: Finding[] = [];
  const about = `user pool ${id}`;
  if (mfa !== 'OFF') {
    findings.push({
      code: 'pool-mfa',
      subject: id,
      about,
      found: `MfaConfiguration: ${mfa}`,
      remedy: turnMfaOff(id, region),
    });
  }
  if (pool.DeviceConfiguration) {
    findings.push({
      code: 'remembered-devices',
      subject: id,
      about,
      found: `DeviceConfiguration: ${JSON.stringify(pool.DeviceConfiguration)}`,
      remedy: 'Remove DeviceConfiguration from the pool, or let apps sign in without DEVICE_KEY.',
    });
  }
  return findings;
}
