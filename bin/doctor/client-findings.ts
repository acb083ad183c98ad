import type { Code, Finding } from './finding.ts';
import type { PoolFacts } from './read.ts';

type Client = PoolFacts['clients'][number];

/** Name of the client that only checks passwords, as the identity stack sets it. */
const LOGIN_CLIENT = 'countersign-login';
const SAFE = 'ExplicitAuthFlows: ALLOW_CUSTOM_AUTH, ALLOW_REFRESH_TOKEN_AUTH';
const LEGACY = ['ADMIN_NO_SRP_AUTH', 'CUSTOM_AUTH_FLOW_ONLY', 'USER_PASSWORD_AUTH'];
const UNIT_SECONDS: Record<string, number> = { seconds: 1, minutes: 60, hours: 3600, days: 86_400 };

/**
 * Returns the findings about a pool's app clients.
 *
 * @param loginClients ids of more login clients: they only check passwords, and nobody gets their tokens
 */
export function clientFindings(facts: PoolFacts, loginClients: readonly string[]): Finding[] {
  return facts.clients.flatMap((client) => [
    ...flowFindings(client, loginClients.includes(client.ClientId ?? '')),
    ...hostedFindings(client, facts.providers),
    ...settingFindings(client),
  ]);
}

function flowFindings(client: Client, isLoginClient: boolean): Finding[] {
  const finding = about(client);
  const flows: string[] = client.ExplicitAuthFlows ?? [];
  const found = `ExplicitAuthFlows: ${flows.join(', ')}`;
  if (flows.length === 0) {
    return [finding('default-flows', 'ExplicitAuthFlows is not set', `Set ${SAFE}.`)];
  }
  const findings: Finding[] = [];
  const names: Record<string, Code> = {
    ALLOW_USER_SRP_AUTH: 'user-srp',
    ALLOW_USER_PASSWORD_AUTH: 'user-password',
    ALLOW_USER_AUTH: 'user-auth',
  };
  for (const [flow, code] of Object.entries(names)) {
    if (!flows.includes(flow)) continue;
    findings.push(finding(code, found, `Remove ${flow}. For apps: ${SAFE}.`));
  }
  if (flows.some((flow) => LEGACY.includes(flow))) {
    const open = !flows.includes('CUSTOM_AUTH_FLOW_ONLY') || flows.includes('USER_PASSWORD_AUTH');
    findings.push(
      finding(open ? 'legacy-flows' : 'legacy-flow-names', found, `Replace all of them with ${SAFE}.`),
    );
  }
  const byAdmin = flows.includes('ALLOW_ADMIN_USER_PASSWORD_AUTH') || flows.includes('ADMIN_NO_SRP_AUTH');
  if (byAdmin && client.ClientName !== LOGIN_CLIENT && !isLoginClient) {
    findings.push(
      finding(
        'admin-password',
        found,
        `Remove ALLOW_ADMIN_USER_PASSWORD_AUTH. If this is Countersign's own login client under another name, pass --login-client ${client.ClientId}`,
      ),
    );
  }
  return findings;
}

function hostedFindings(client: Client, providers: PoolFacts['providers']): Finding[] {
  const finding = about(client);
  const findings: Finding[] = [];
  const flows = (client.AllowedOAuthFlows ?? []).filter((flow) => flow !== 'client_credentials');
  if (client.AllowedOAuthFlowsUserPoolClient && flows.length > 0) {
    findings.push(
      finding(
        'managed-login',
        `AllowedOAuthFlows: ${flows.join(', ')}`,
        'Set AllowedOAuthFlowsUserPoolClient to false and empty AllowedOAuthFlows, AllowedOAuthScopes and CallbackURLs (in the CDK: disableOAuth: true). Or keep it for client_credentials only.',
      ),
    );
  }
  const federated = (client.SupportedIdentityProviders ?? []).filter((name) => name !== 'COGNITO');
  if (federated.length > 0) {
    const named = federated.map((name) => (providers.has(name) ? `${name} (${providers.get(name)})` : name));
    findings.push(
      finding(
        'federated-sign-in',
        `SupportedIdentityProviders: ${named.join(', ')}`,
        'Set SupportedIdentityProviders: COGNITO. If other apps need the other provider, let it ask for a second factor of its own.',
      ),
    );
  }
  return findings;
}

function settingFindings(client: Client): Finding[] {
  const finding = about(client);
  const findings: Finding[] = [];
  if (client.PreventUserExistenceErrors !== 'ENABLED') {
    findings.push(
      finding(
        'user-existence-errors',
        `PreventUserExistenceErrors: ${client.PreventUserExistenceErrors ?? 'not set'}`,
        'Set PreventUserExistenceErrors: ENABLED.',
      ),
    );
  }
  if (!client.EnableTokenRevocation) {
    findings.push(
      finding('token-revocation-off', 'EnableTokenRevocation: false', 'Set EnableTokenRevocation: true.'),
    );
  }
  const seconds =
    (client.AccessTokenValidity || 1) *
    (UNIT_SECONDS[
      client.AccessTokenValidity ? (client.TokenValidityUnits?.AccessToken ?? 'hours') : 'hours'
    ] ?? 3600);
  if (seconds > 3600) {
    findings.push(
      finding(
        'long-access-tokens',
        `access tokens live for ${Math.round(seconds / 60)} minutes`,
        'Set AccessTokenValidity: 60 or less, TokenValidityUnits.AccessToken: minutes.',
      ),
    );
  }
  return findings;
}

function about({ ClientId = '', ClientName }: Client) {
  return (code: Code, found: string, remedy: string): Finding => ({
    code,
    subject: ClientId,
    about: `app client ${ClientId}${ClientName ? ` "${ClientName}"` : ''}`,
    found,
    remedy,
  });
}
