/**
 * `hole`: tokens without the second factor. `broken`: sign-ins that need it fail. `risk`: it holds less than it should.
 * `note`: to be known.
 */
export type Severity = 'hole' | 'broken' | 'risk' | 'note';

/** Every kind of finding: how bad it is and why it matters. */
export const codes = {
  'user-srp': {
    severity: 'hole',
    why: 'USER_SRP_AUTH ends in tokens after the password: Cognito calls no custom-auth trigger in it.',
  },
  'user-password': {
    severity: 'hole',
    why: 'USER_PASSWORD_AUTH ends in tokens after the password: Cognito calls no custom-auth trigger in it.',
  },
  'user-auth': {
    severity: 'hole',
    why: 'USER_AUTH signs in by password, SRP, passkey or one-time password, whatever the other flows say, and calls no custom-auth trigger.',
  },
  'default-flows': {
    severity: 'hole',
    why: 'A client without ExplicitAuthFlows allows USER_SRP_AUTH, which ends in tokens after the password.',
  },
  'legacy-flows': {
    severity: 'hole',
    why: 'With these names from before ALLOW_… a client takes the password alone: SRP stays on unless CUSTOM_AUTH_FLOW_ONLY is there.',
  },
  'managed-login': {
    severity: 'hole',
    why: 'Managed login and the hosted UI do not support custom-auth triggers: who signs in there gets tokens without them.',
  },
  'federated-sign-in': {
    severity: 'hole',
    why: 'Who comes from another identity provider gets tokens without any custom-auth trigger.',
  },
  'token-trigger-missing': {
    severity: 'hole',
    why: 'Whoever replaces a temporary password (NEW_PASSWORD_REQUIRED) gets tokens without a custom challenge, and only this trigger can refuse them.',
  },
  'trigger-not-countersign': {
    severity: 'hole',
    why: 'What another function decides about a sign-in is not known here: it may let anybody past.',
  },
  'trigger-other-deployment': {
    severity: 'hole',
    why: 'It looks into another table than its fellows: who is enrolled in one is nobody in the other.',
  },
  'pool-mfa': {
    severity: 'hole',
    why: 'Cognito asks for its own second factor after the password. By one report it then hands out tokens without asking Countersign (aws-amplify/amplify-js#3876); where it does ask (#4888), Countersign refuses the step that is not its own.',
  },
  'challenge-trigger-missing': {
    severity: 'broken',
    why: 'The custom flow needs define, create and verify: without one of them nobody signs in through it.',
  },
  'trigger-gone': {
    severity: 'broken',
    why: 'Cognito cannot invoke a function that is not there: sign-ins fail.',
  },
  'invoke-permission-missing': {
    severity: 'broken',
    why: 'Cognito may not invoke the function for this pool: sign-ins fail.',
  },
  'confirmation-trigger-missing': {
    severity: 'risk',
    why: "A password reset then leaves the user's sessions at Countersign as they are.",
  },
  'token-trigger-version': {
    severity: 'risk',
    why: 'Before V2_0 Cognito ignores what the trigger adds to access tokens: apps do not see that enrollment is required.',
  },
  'invoke-permission-open': {
    severity: 'risk',
    why: 'Any user pool of any AWS account may have the function invoked, with users of its own making.',
  },
  'user-existence-errors': {
    severity: 'risk',
    why: 'Anybody can ask this client who has an account.',
  },
  'token-revocation-off': {
    severity: 'risk',
    why: 'Without token revocation the tokens of a session that was ended stay good until they expire.',
  },
  'legacy-flow-names': {
    severity: 'note',
    why: 'They allow no more than they should, but a flow added to them by the same old names would bring SRP back.',
  },
  'admin-password': {
    severity: 'note',
    why: 'Whoever may call AdminInitiateAuth in this account gets tokens from this client for the password alone.',
  },
  'long-access-tokens': {
    severity: 'note',
    why: 'Whoever checks tokens offline accepts one for this long after the session has been ended.',
  },
  'remembered-devices': {
    severity: 'note',
    why: "A remembered device stands in for Cognito's own MFA, not for a custom challenge; but the steps it adds to a sign-in (DEVICE_SRP_AUTH) are not Countersign's, which refuses them.",
  },
} as const satisfies Record<string, { severity: Severity; why: string }>;

export type Code = keyof typeof codes;

export interface Finding {
  code: Code;
  /** The id of a client, the name of a trigger, or the id of the pool. */
  subject: string;
  /** The subject as somebody would know it. */
  about: string;
  /** What is there. */
  found: string;
  /** The exact setting or command that ends it. */
  remedy: string;
}
