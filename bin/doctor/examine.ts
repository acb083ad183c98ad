import { clientFindings } from './client-findings.ts';
import type { Finding } from './finding.ts';
import type { PoolFacts } from './read.ts';
import { triggerFindings } from './trigger-findings.ts';

/** Everything that is wrong with a pool, the pool's own settings first. */
export function examine(facts: PoolFacts, loginClients: readonly string[] = []): Finding[] {
  return [...poolFindings(facts), ...triggerFindings(facts), ...clientFindings(facts, loginClients)];
}

/** How the pool's own MFA is turned off, and what that costs. */
export function turnMfaOff(id: string, region: string): string {
  return `Turning it off leaves every user who has not enrolled here by then with nothing but their password (docs/cognito.md, "A pool that uses Cognito's MFA today"): aws cognito-idp set-user-pool-mfa-config --region ${region} --user-pool-id ${id} --mfa-configuration OFF`;
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
      remedy: 'Take DeviceConfiguration out of the pool, or let apps sign in without DEVICE_KEY.',
    });
  }
  return findings;
}
