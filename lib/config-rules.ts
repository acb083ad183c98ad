import { comparable, namesPool } from '../core/issuers.ts';
import { guessFault } from '../core/settings.ts';
import type { Config } from './config.ts';
import { pascalCase } from './pascal-case.ts';

/** A fault as one line: where, what was given, what is allowed. */
export const fault = (path: string, given: unknown, allowed: string) =>
  `${path}: given ${JSON.stringify(given) ?? 'nothing'}; allowed: ${allowed}`;

/** Returns the conflicts between settings that are each well formed. */
export function crossFaults(config: Config): string[] {
  const faults: string[] = [];
  const demand = (holds: boolean, path: string, given: unknown, allowed: string) => {
    if (!holds) faults.push(fault(path, given, allowed));
  };
  const distinct = (path: string, values: readonly string[], what: string) => {
    values.forEach((value, i) => {
      demand(values.indexOf(value) === i, `${path}.${i}`, value, `${what} not named before`);
    });
  };
  const { limits, lifetimes, plans, clients, trustedIssuers } = config;

  demand(
    limits.stopAfter >= limits.lockAfter,
    'limits.stopAfter',
    limits.stopAfter,
    `at least limits.lockAfter (${limits.lockAfter})`,
  );
  const guessing = guessFault(config);
  demand(guessing === undefined, 'totp', config.totp, `${guessing}`);
  demand(
    lifetimes.refreshToken >= lifetimes.accessToken,
    'lifetimes.refreshToken',
    lifetimes.refreshToken,
    `at least lifetimes.accessToken (${lifetimes.accessToken})`,
  );

  for (const [name, plan] of Object.entries(plans)) {
    const most = (field: 'rate' | 'burst' | 'guessableRate' | 'guessableBurst', limit: number, of: string) =>
      demand(plan[field] <= limit, `plans.${name}.${field}`, plan[field], `at most ${of} (${limit})`);
    most('guessableRate', plan.rate, 'the rate of the plan');
    most('guessableBurst', plan.burst, 'the burst of the plan');
  }
  const { firewall } = config;
  demand(
    !firewall || firewall.guessablePerAddress <= firewall.requestsPerAddress,
    'firewall.guessablePerAddress',
    firewall?.guessablePerAddress,
    `at most firewall.requestsPerAddress (${firewall?.requestsPerAddress})`,
  );
  for (const [name, client] of Object.entries(clients)) {
    demand(
      Object.hasOwn(plans, client.plan),
      `clients.${name}.plan`,
      client.plan,
      `a plan: ${Object.keys(plans).join(', ')}`,
    );
    distinct(`clients.${name}.keys`, client.keys, 'a key');
  }
  const constructs = (path: string, names: string[][]) => {
    const ids = names.map((parts) => pascalCase(parts.join('-')));
    ids.forEach((id, i) => {
      const [first] = ids.flatMap((other, j) => (j < i && other === id ? [names[j]] : []));
      const given = names[i]?.join(', ');
      demand(
        !first,
        path,
        given,
        `a name that differs from ${first?.join(', ')} by more than capitals and -`,
      );
    });
  };
  constructs(
    'plans',
    Object.keys(plans).map((name) => [name]),
  );
  constructs(
    'clients',
    Object.entries(clients).flatMap(([name, { keys }]) => [...new Set(keys)].map((key) => [name, key])),
  );

  distinct('cors.origins', config.cors.origins, 'an origin');
  const present = config.issuer === undefined ? [] : [comparable(config.issuer)];
  const formers = config.formerIssuers.map(comparable);
  config.formerIssuers.forEach((former, i) => {
    const at = `formerIssuers.${i}`;
    demand(!formers.slice(0, i).includes(comparable(former)), at, former, 'an issuer not named before');
    demand(!present.includes(comparable(former)), at, former, 'an issuer other than the present one');
  });
  trustedIssuers.forEach((trusted, i) => {
    const at = `trustedIssuers.${i}`;
    const realms = [config.realm, ...trustedIssuers.slice(0, i).map(({ realm }) => realm)];
    const earlier = trustedIssuers.slice(0, i).map(({ issuer }) => comparable(issuer));
    const isNew = ![...present, ...formers, ...earlier].includes(comparable(trusted.issuer));
    // Two issuers in one realm could each name the other's users.
    demand(!realms.includes(trusted.realm), `${at}.realm`, trusted.realm, `other than ${realms.join(', ')}`);
    demand(isNew, `${at}.issuer`, trusted.issuer, 'an issuer not named before');
    for (const name of ['issuer', 'jwksUri'] as const) {
      // Enrollments by its tokens would go to that realm, and a sign-in looks for them in the pool's.
      demand(
        !config.userPool || !namesPool(trusted[name], config.userPool.id),
        `${at}.${name}`,
        trusted[name],
        'another than the pool in userPool, whose access tokens are taken without this',
      );
    }
    demand(
      trusted.audience !== undefined || trusted.clientIds !== undefined,
      `${at}.audience`,
      undefined,
      'audience, clientIds or both: without, any token of the issuer would do',
    );
  });
  return faults;
}
