/**
 * How bad a finding is. `hole`: tokens without the second factor. `broken`: sign-ins that need it fail.
 * `risk`: weaker than it should be. `note`: worth knowing.
 */
export type Severity = 'hole' | 'broken' | 'risk' | 'note';

/** Every kind of finding, with its severity and why it matters. */
export const codes = {
  'user-srp': {
    severity: 'hole',
    why: 'USER_SRP_AUTH returns tokens after the password: Cognito calls no custom-auth trigger in this flow.',
  },
  'user-password': {
    severity: 'hole',
    why: 'USER_PASSWORD_AUTH returns tokens after the password: Cognito calls no custom-auth trigger in this flow.',
  },
  'user-auth': {
    severity: 'hole',
    why: 'USER_AUTH signs in with a password, SRP, a passkey or a one-time password, whatever other flows the client allows. Cognito calls no custom-auth trigger in this flow.',
  },
  'default-flows': {
    severity: 'hole',
    why: 'A client without ExplicitAuthFlows allows USER_SRP_AUTH, which returns tokens after the password.',
  },
  'legacy-flows': {
    severity: 'hole',
    why: 'With these names, which are older than ALLOW_…, a client accepts the password alone: SRP stays on unless CUSTOM_AUTH_FLOW_ONLY is set.',
  },
  'managed-login': {
    severity: 'hole',
    why: 'Managed login and the hosted UI do not support custom-auth triggers: users who sign in there get tokens without them.',
  },
  'federated-sign-in': {
    severity: 'hole',
    why: 'Users from another identity provider get tokens without any custom-auth trigger.',
  },
  'token-trigger-missing': {
    severity: 'hole',
    why: 'Users who replace a temporary password (NEW_PASSWORD_REQUIRED) get tokens without a custom challenge. Only this trigger can refuse them.',
  },
  'trigger-not-countersign': {
    severity: 'hole',
    why: 'The doctor cannot know how another function decides about sign-ins: it may let anybody in.',
  },
  'trigger-other-deployment': {
    severity: 'hole',
    why: 'It reads another table than the other triggers: a user enrolled in one table is unknown in the other.',
  },
  'pool-mfa': {
    severity: 'hole',
    why: 'Cognito asks for its own second factor after the password. By one report, it then issues tokens without asking Countersign (aws-amplify/amplify-js#3876). If it does ask (#4888), Countersign refuses the step, which is not its own.',
  },
  'challenge-trigger-missing': {
    severity: 'broken',
    why: 'The custom flow needs define, create and verify. If one of them is missing, nobody can sign in through it.',
  },
  'trigger-gone': {
    severity: 'broken',
    why: 'Cognito cannot invoke a function that does not exist: sign-ins fail.',
  },
  'invoke-permission-missing': {
    severity: 'broken',
    why: 'Cognito may not invoke the function for this pool: sign-ins fail.',
  },
  'confirmation-trigger-missing': {
    severity: 'risk',
    why: "A password reset does not end the user's sessions at Countersign.",
  },
  'token-trigger-version': {
    severity: 'risk',
    why: 'Before V2_0, Cognito ignores what the trigger adds to access tokens, so apps do not see that enrollment is required.',
  },
  'invoke-permission-open': {
    severity: 'risk',
    why: 'Any user pool of any AWS account can make Cognito invoke the function, with users it made up.',
  },
  'user-existence-errors': {
    severity: 'risk',
    why: 'Anybody can ask this client who has an account.',
  },
  'token-revocation-off': {
    severity: 'risk',
    why: 'Without token revocation, the tokens of an ended session stay valid until they expire.',
  },
  'legacy-flow-names': {
    severity: 'note',
    why: 'They allow no more than they should. But one more flow under such an old name would bring SRP back.',
  },
  'admin-password': {
    severity: 'note',
    why: 'Anybody who may call AdminInitiateAuth in this account gets tokens from this client with the password alone.',
  },
  'long-access-tokens': {
    severity: 'note',
    why: 'A server that checks tokens offline accepts a token for this long after its session has ended.',
  },
  'remembered-devices': {
    severity: 'note',
    why: "A remembered device replaces Cognito's own MFA, not a custom challenge. But it adds steps to a sign-in (DEVICE_SRP_AUTH) that Countersign refuses.",
  },
} as const satisfies Record<string, { severity: Severity; why: string }>;

export type Code = keyof typeof codes;

export interface Finding {
  code: Code;
  /** The id of a client, the name of a trigger, or the id of the pool. */
  subject: string;
  /** The subject with its kind and its name, for people. */
  about: string;
  /** The setting as it is now. */
  found: string;
  /** The exact setting or command that fixes it. */
  remedy: string;
}
