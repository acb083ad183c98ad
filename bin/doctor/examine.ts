import { clientFindings } from './client-findings.ts';
import type { Finding } from './finding.ts';
import type { PoolFacts } from './read.ts';
import { triggerFindings } from './trigger-findings.ts';

/** Everything that is wrong with a pool, the pool's own settings first. */
export function examine(facts: PoolFacts, loginClients: readonly string[] = []): Finding[] {
  return [...poolFindings(facts), ...triggerFindings(facts), ...clientFindings(facts, loginClients)];
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
      remedy: `aws cognito-idp set-user-pool-mfa-config --region ${region} --user-pool-id ${id} --mfa-configuration OFF`,
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
