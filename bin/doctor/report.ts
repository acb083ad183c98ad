import { codes, type Finding, type Severity } from './finding.ts';
import type { PoolFacts } from './read.ts';

export interface Report {
  facts: PoolFacts;
  findings: Finding[];
  /** Findings that `--accept` names. They do not count. */
  accepted: Finding[];
}

const ORDER: Severity[] = ['hole', 'broken', 'risk', 'note'];
const MEANING: Record<Severity, string> = {
  hole: 'tokens without the second factor',
  broken: 'sign-ins with it fail',
  risk: 'weaker than it should be',
  note: 'worth knowing',
};

/** Formats a report for people: the worst findings first, then the accepted ones, then a summary. */
export function asText({ facts, findings, accepted }: Report): string {
  const { id, pool, clients, functions } = facts;
  const lines = [
    `User pool ${id} "${pool.Name ?? ''}": ${count(clients.length, 'app client')}, ${count(functions.size, 'trigger function')}`,
  ];
  for (const finding of worstFirst(findings)) {
    const { severity, why } = codes[finding.code];
    lines.push(
      '',
      `${severity.toUpperCase()}  ${finding.code}  ${finding.about}`,
      `  found   ${finding.found}`,
      `  why     ${why}`,
      `  remedy  ${finding.remedy}`,
    );
  }
  lines.push('');
  for (const { code, about } of accepted) lines.push(`accepted: ${code}  ${about}`);
  if (findings.length === 0) {
    lines.push('✔ Nothing found: no way round the second factor, and nothing that breaks it.');
  } else {
    const kinds = ORDER.map((severity) => ({ severity, found: findings.filter(of(severity)).length }));
    const told = kinds.filter(({ found }) => found > 0);
    lines.push(
      `✖ ${count(findings.length, 'finding')}: ${told.map(({ severity, found }) => `${found} ${severity} (${MEANING[severity]})`).join(', ')}`,
    );
    if (findings.some(({ about }) => about.startsWith('app client'))) {
      lines.push(
        'Change a client where it is defined, or in the console: "aws cognito-idp update-user-pool-client" resets every setting that is left out.',
      );
    }
  }
  return lines.join('\n');
}

/**
 * Formats a report as one JSON object: `userPoolId, region, clients, findings[], accepted[]`. Each finding
 * has its severity and why it matters.
 */
export function asJson({ facts, findings, accepted }: Report): string {
  const whole = (finding: Finding) => ({ ...finding, ...codes[finding.code] });
  const answer = {
    userPoolId: facts.id,
    region: facts.region,
    clients: facts.clients.length,
    findings: worstFirst(findings).map(whole),
    accepted: accepted.map(whole),
  };
  return JSON.stringify(answer, null, 2);
}

const of = (severity: Severity) => (finding: Finding) => codes[finding.code].severity === severity;

function worstFirst(findings: Finding[]): Finding[] {
  return ORDER.flatMap((severity) => findings.filter(of(severity)));
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}
